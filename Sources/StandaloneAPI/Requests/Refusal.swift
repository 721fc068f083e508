// How the server says no: `metav1.Status` with the codes, reasons and words of kube-apiserver, which clients and people
// know.

import FoundationEssentials
import KubernetesClient
import KubernetesModel

/// A request that is refused.
struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong with one field.
  struct Cause: Sendable, Hashable {
    /// `FieldValueRequired`, `FieldValueInvalid` …
    var reason: String
    /// `spec.sourceEnv[0].name`
    var field: String
    /// Without the field.
    var message: String
  }

  var code: Int
  var reason: String
  var message: String
  /// The object in question.
  var name: String?
  var group: String?
  /// The resource, or the kind where kube-apiserver tells that.
  var kind: String?
  var causes: [Cause] = []

  init(_ code: Int, _ reason: String, _ message: String) {
    self.code = code
    self.reason = reason
    self.message = message
  }

  var description: String { message }
}

extension Refusal {
  static func notFound(_ target: RequestTarget) -> Refusal {
    about(target, 404, "NotFound", "\(target.described) not found")
  }

  static func alreadyExists(_ target: RequestTarget) -> Refusal {
    about(target, 409, "AlreadyExists", "\(target.described) already exists")
  }

  static func conflict(_ target: RequestTarget, _ why: String? = nil) -> Refusal {
    let changed = "the object has been modified; please apply your changes to the latest version and try again"
    return about(
      target, 409, "Conflict", "Operation cannot be fulfilled on \(target.described): \(why ?? changed)")
  }

  static func forbidden(_ target: RequestTarget, _ why: String) -> Refusal {
    about(target, 403, "Forbidden", "\(target.described) is forbidden: \(why)")
  }

  /// - Parameter causes: At least one.
  static func invalid(_ target: RequestTarget, _ causes: [Cause]) -> Refusal {
    let words = causes.map { $0.field.isEmpty ? $0.message : "\($0.field): \($0.message)" }
    let kind = target.definition.type.group.isEmpty ? "" : ".\(target.definition.type.group)"
    var refusal = about(
      target, 422, "Invalid",
      "\(target.definition.type.kind)\(kind) \"\(target.name ?? "")\" is invalid: "
        + (words.count == 1 ? words[0] : "[\(words.joined(separator: ", "))]"))
    refusal.kind = target.definition.type.kind
    refusal.causes = causes
    return refusal
  }

  static func badRequest(_ message: String) -> Refusal { Refusal(400, "BadRequest", message) }

  static func expired(_ revision: Int64, oldest: Int64) -> Refusal {
    Refusal(410, "Expired", "too old resource version: \(revision) (\(oldest))")
  }

  /// The state on disk cannot be written or read.
  static func storage(_ error: SQLiteError) -> Refusal {
    Refusal(500, "InternalError", "the state on disk cannot be used: \(error); nothing was changed")
  }

  private static func about(_ target: RequestTarget, _ code: Int, _ reason: String, _ message: String) -> Refusal {
    var refusal = Refusal(code, reason, message)
    refusal.name = target.name
    refusal.group = target.definition.type.group
    refusal.kind = target.definition.type.plural
    return refusal
  }
}

extension Refusal {
  /// `metav1.Status`.
  var status: JSONValue {
    var status: JSONValue = [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "code": .integer(Int64(code)),
      "reason": .string(reason), "message": .string(message),
    ]
    if let name { status["details"]["name"] = .string(name) }
    if let group, !group.isEmpty { status["details"]["group"] = .string(group) }
    if let kind { status["details"]["kind"] = .string(kind) }
    if !causes.isEmpty {
      status["details"]["causes"] = .array(
        causes.map { ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)] })
    }
    return status
  }

  /// The answer that carries it, whole.
  var response: APIResponse {
    APIResponse(
      statusCode: code, headers: ["content-type": "application/json"], body: (try? JSON.encode(status)) ?? Data())
  }
}

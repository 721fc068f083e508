// How the server in memory says no: `metav1.Status` with the codes and reasons of the real one.

import FoundationEssentials
package import KubernetesClient
package import KubernetesModel

/// A refusal by the server.
package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
  package var code: Int
  package var reason: String
  package var message: String
  package var cause: String?
  /// The field that the cause is about, `spec.schedule`.
  package var field: String?

  package init(_ code: Int, _ reason: String, _ message: String, cause: String? = nil, field: String? = nil) {
    self.code = code
    self.reason = reason
    self.message = message
    self.cause = cause
    self.field = field
  }

  package var description: String { "\(code) \(reason): \(message)" }

  /// The refusal as the server writes it.
  package var status: JSONValue {
    var status: JSONValue = [
      "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": .integer(Int64(code)),
      "reason": .string(reason), "message": .string(message),
    ]
    if let cause {
      var details: JSONValue = ["reason": .string(cause), "message": .string(message)]
      if let field { details["field"] = .string(field) }
      status["details"]["causes"] = [details]
    }
    return status
  }

  /// The answer that carries it.
  package var response: APIResponse { APIResponse(statusCode: code, body: (try? JSON.encode(status)) ?? Data()) }

  static func notFound(_ path: ResourcePath) -> Refusal {
    Refusal(404, "NotFound", "\(path.plural) \"\(path.name ?? "")\" not found")
  }

  static func conflict(_ path: ResourcePath) -> Refusal {
    Refusal(409, "Conflict", "\(path.plural) \"\(path.name ?? "")\": the object has been modified")
  }

  static func invalid(_ message: String) -> Refusal { Refusal(422, "Invalid", message) }
}

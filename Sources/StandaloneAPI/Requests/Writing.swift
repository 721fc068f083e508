// Writing: each request is one transaction, and is answered once that is on disk.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging

extension EmbeddedAPIServer {
  /// Runs a write in a transaction of its own, and tells of what it changed once it is on disk.
  func written(
    _ code: Int, _ target: RequestTarget, _ request: APIRequest,
    _ body: (inout ObjectVerbs, WriteOptions) throws(Refusal) -> JSONValue
  ) throws(Refusal) -> APIResponse {
    let options = options(of: request)
    let object = try write { verbs throws(Refusal) in try body(&verbs, options) }
    return .json(code, try ObjectVerbs.encoded(target.definition.served(object)))
  }

  /// Changes objects in one transaction: all of it, or nothing.
  func write<Result>(_ body: (inout ObjectVerbs) throws(Refusal) -> Result) throws(Refusal) -> Result {
    // The transaction's own copy must not share what it changes with this one.
    var working = verbs
    let result: Result
    do throws(Refusal) {
      var database = working.database
      result = try database.transaction(orFail: Refusal.storage) { inner throws(Refusal) in
        working.database = inner
        let result = try body(&working)
        inner = working.database
        return result
      }
      working.database = database
    } catch {
      if error.code == 500 { logger.error("\(error.message)") }
      throw error
    }
    let changes = working.changes
    working.changes = []
    verbs = working
    tell(changes)
    return result
  }

  func options(of request: APIRequest) -> WriteOptions {
    WriteOptions(
      now: Timestamp(time.now), isDryRun: request.value("dryRun") == "All",
      isStrict: request.value("fieldValidation") == "Strict")
  }

  /// Custom resources cannot be replaced without saying which version is meant.
  func requireVersion(_ wanted: JSONValue, _ target: RequestTarget) throws(Refusal) {
    guard target.definition.isCustom, (wanted["metadata"]["resourceVersion"].string ?? "").isEmpty else { return }
    throw .invalid(
      target,
      [
        Refusal.Cause(
          reason: "FieldValueInvalid", field: "metadata.resourceVersion",
          message: "Invalid value: 0x0: must be specified for an update")
      ])
  }

  static func patched(
    _ old: JSONValue, _ patch: JSONValue, _ request: APIRequest, _ target: RequestTarget
  ) throws(Refusal) -> JSONValue {
    switch request.contentType {
    case "application/merge-patch+json": return old.merged(with: patch)
    case "application/strategic-merge-patch+json" where !target.definition.isCustom:
      return StrategicMergePatch.merge(old, patch)
    case "application/json-patch+json":
      do throws(JSONPatch.Failure) {
        return try JSONPatch(patch).applied(to: old)
      } catch {
        throw Refusal(
          422, "Invalid", "the server rejected our request due to an error in our request: \(error.message)")
      }
    default: throw unsupported(target)
    }
  }

  private static func unsupported(_ target: RequestTarget) -> Refusal {
    Refusal(
      415, "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: "
        + "application/json-patch+json, application/merge-patch+json"
        + (target.definition.isCustom ? "" : ", application/strategic-merge-patch+json"))
  }

  /// Before the object is looked for: what a server cannot do, it cannot do to absent objects either.
  static func checkPatchType(_ request: APIRequest, _ target: RequestTarget) throws(Refusal) {
    switch request.contentType {
    case "application/merge-patch+json", "application/json-patch+json": return
    case "application/strategic-merge-patch+json" where !target.definition.isCustom: return
    case "application/apply-patch+yaml", "application/apply-patch+cbor":
      throw Refusal(
        415, "UnsupportedMediaType",
        "this server does not keep who manages which field: apply without --server-side")
    default: throw unsupported(target)
    }
  }

  func delete(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> APIResponse {
    let options = options(of: request)
    var body = try request.body == nil ? JSONValue.object([:]) : request.json
    for field in ["propagationPolicy", "gracePeriodSeconds"] where body[field].isNull {
      guard let value = request.value(field) else { continue }
      body[field] = Int64(value).map { .integer($0) } ?? .string(value)
    }
    let wanted = body
    let deleted = try write { verbs throws(Refusal) in try verbs.delete(target, wanted, options) }
    // Of what is gone at once, only a success is told, but for pods, as kube-apiserver does.
    guard deleted.isGone, target.definition.storageName != ResourceDefinition.pods.storageName else {
      return .json(200, try ObjectVerbs.encoded(target.definition.served(deleted.object)))
    }
    let status: JSONValue = [
      "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
      "details": [
        "name": .string(target.name ?? ""), "group": .string(target.definition.type.group),
        "kind": .string(target.definition.type.plural), "uid": deleted.object["metadata"]["uid"],
      ],
    ]
    return .json(200, try ObjectVerbs.encoded(status))
  }

  func deleteAll(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> APIResponse {
    let options = options(of: request)
    let body = try request.body == nil ? JSONValue.object([:]) : request.json
    var items: [JSONValue] = []
    for item in try selected(target, request) { items.append(try ObjectVerbs.decoded(item)) }
    let all = items
    try write { verbs throws(Refusal) in
      for item in all {
        let metadata = item["metadata"]
        _ = try verbs.delete(
          RequestTarget(target.definition, namespace: metadata["namespace"].string, name: metadata["name"].string),
          body, options)
      }
    }
    let type = target.definition.type
    let list: JSONValue = [
      "kind": .string("\(type.kind)List"), "apiVersion": .string(type.apiVersion),
      "metadata": ["resourceVersion": .string("\(verbs.database.revision)")], "items": .array(all),
    ]
    return .json(200, try ObjectVerbs.encoded(list))
  }
}

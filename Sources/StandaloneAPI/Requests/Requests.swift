// Requests that are answered at once: discovery, reading, writing.

import FoundationEssentials
package import KubernetesClient
import KubernetesModel
import Logging

extension EmbeddedAPIServer: APITransport {
  package func send(_ request: APIRequest) async throws -> APIResponse {
    try Task.checkCancellation()
    do throws(Refusal) {
      if request.method == .get, let answer = catalog.discovery(request.path) {
        return .json(200, try ObjectVerbs.encoded(answer))
      }
      if request.method == .get, let document = try catalog.openAPI(request) { return document }
      if let review = try AccessReviews.answer(request) { return review }
      let target = try RequestTarget(path: request.path, in: catalog)
      if target.subresource == "log" {
        return try await log(target, request)
      }
      return try answer(request, target)
    } catch {
      return error.response
    }
  }

  private func answer(_ request: APIRequest, _ target: RequestTarget) throws(Refusal) -> APIResponse {
    guard target.subresource == nil || (target.subresource == "status" && target.definition.hasStatus) else {
      throw Refusal(404, "NotFound", "the server could not find the requested resource")
    }
    let definition = target.definition
    guard request.method == .get || !definition.isReadOnly else {
      throw Refusal(
        405, "MethodNotAllowed", "\(definition.type.plural) are those of this program, and cannot be written here")
    }
    switch (request.method, target.name) {
    case (.get, nil): return .json(200, try list(target, request))
    case (.get, _): return .json(200, try get(target, request))
    case (.post, nil):
      let draft = definition.stored(try request.json)
      return try written(201, target, request) { verbs, options throws(Refusal) in
        try verbs.create(target, draft, options)
      }
    case (.put, .some):
      let wanted = definition.stored(try request.json)
      try requireVersion(wanted, target)
      return try written(200, target, request) { verbs, options throws(Refusal) in
        try verbs.change(target, options) { _ throws(Refusal) in wanted }
      }
    case (.patch, .some):
      let patch = try request.json
      return try written(200, target, request) { verbs, options throws(Refusal) in
        try verbs.change(target, options) { old throws(Refusal) in
          definition.stored(try Self.patched(definition.served(old), patch, request, target))
        }
      }
    case (.delete, .some): return try delete(target, request)
    case (.delete, nil): return try deleteAll(target, request)
    default: throw Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }
  }

  // MARK: Reading

  /// Always whole: a client may ask for pages, and a server may answer with everything.
  private func list(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> Data {
    guard (request.value("continue") ?? "").isEmpty else {
      throw Refusal(410, "Expired", "this server answers lists whole, without a continue token")
    }
    let type = target.definition.type
    let form = try AnswerForm(request)
    let items = try selected(target, request)
    guard form == .objects else {
      var objects: [JSONValue] = []
      for item in items { objects.append(target.definition.served(try ObjectVerbs.decoded(item))) }
      return try inForm(form, objects, target, request, listVersion: "\(verbs.database.revision)")
    }
    var data = Data(
      """
      {"kind":"\(type.kind)List","apiVersion":"\(type.apiVersion)",\
      "metadata":{"resourceVersion":"\(verbs.database.revision)"},"items":[
      """.utf8)
    for (index, item) in items.enumerated() {
      if index > 0 { data.append(UInt8(ascii: ",")) }
      data.append(item)
    }
    data.append(contentsOf: "]}".utf8)
    return data
  }

  private func get(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> Data {
    let object = target.definition.served(try verbs.object(target))
    return try inForm(try AnswerForm(request), [object], target, request, listVersion: nil)
  }

  /// - Parameter listVersion: The version of the list; `nil` when there is one object, which is no list.
  private func inForm(
    _ form: AnswerForm, _ objects: [JSONValue], _ target: RequestTarget, _ request: APIRequest, listVersion: String?
  ) throws(Refusal) -> Data {
    switch form {
    case .table(let version):
      let table = try table(target, request, version: version)
      let resourceVersion = listVersion ?? objects.first?["metadata"]["resourceVersion"].string ?? ""
      return try ObjectVerbs.encoded(
        table.table(objects, resourceVersion: resourceVersion, now: Timestamp(time.now)))
    case .metadata:
      let all = objects.map { ObjectTable.metadata(of: $0) }
      guard let listVersion else { return try ObjectVerbs.encoded(all.first ?? .null) }
      return try ObjectVerbs.encoded([
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": ["resourceVersion": .string(listVersion)], "items": .array(all),
      ])
    case .objects: return try ObjectVerbs.encoded(objects.first ?? .null)
    }
  }

  func table(_ target: RequestTarget, _ request: APIRequest, version: String) throws(Refusal) -> ObjectTable {
    let wanted = request.value("includeObject") ?? ""
    guard let inclusion = wanted.isEmpty ? .metadata : ObjectTable.Inclusion(rawValue: wanted) else {
      throw .badRequest("includeObject \"\(wanted)\" is none of None, Metadata and Object")
    }
    return ObjectTable(target.definition, version: version, inclusion: inclusion)
  }

  /// The bodies of the objects that a request selects, as they are served.
  func selected(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> [Data] {
    let definition = target.definition
    let selector = try ObjectSelector(
      labels: request.value("labelSelector"), fields: request.value("fieldSelector"), of: definition)
    let bodies = try verbs.storage { () throws(SQLiteError) in
      try verbs.database.bodies(definition.storageName, namespace: target.namespace)
    }
    guard !selector.isEverything || definition.storedAs != nil else { return bodies }
    var chosen: [Data] = []
    for body in bodies {
      let object = definition.served(try ObjectVerbs.decoded(body))
      guard selector.matches(object) else { continue }
      chosen.append(definition.storedAs == nil ? body : try ObjectVerbs.encoded(object))
    }
    return chosen
  }

  private func log(_ target: RequestTarget, _ request: APIRequest) async throws(Refusal) -> APIResponse {
    do {
      let stream = try await openLog(target, request)
      return APIResponse(
        statusCode: stream.statusCode, headers: stream.headers, body: try await stream.whole())
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw Refusal(500, "InternalError", "\(error)")
    }
  }

  // MARK: Writing

  /// Runs a write in a transaction of its own, and tells of what it changed once it is on disk.
  private func written(
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
  private func requireVersion(_ wanted: JSONValue, _ target: RequestTarget) throws(Refusal) {
    guard target.definition.isCustom, (wanted["metadata"]["resourceVersion"].string ?? "").isEmpty else { return }
    throw .invalid(
      target,
      [
        Refusal.Cause(
          reason: "FieldValueInvalid", field: "metadata.resourceVersion",
          message: "Invalid value: 0x0: must be specified for an update")
      ])
  }

  private static func patched(
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
    case "application/apply-patch+yaml", "application/apply-patch+cbor":
      throw Refusal(
        415, "UnsupportedMediaType",
        "this server does not keep who manages which field: apply without --server-side")
    default:
      throw Refusal(
        415, "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
          + "application/json-patch+json, application/merge-patch+json"
          + (target.definition.isCustom ? "" : ", application/strategic-merge-patch+json"))
    }
  }

  private func delete(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> APIResponse {
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

  private func deleteAll(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> APIResponse {
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

extension APIRequest {
  /// The largest body, in bytes: more than any object of ours, and what kube-apiserver takes.
  private static let bodyLimit = 3 << 20

  func value(_ name: String) -> String? { query.first { $0.name == name }?.value }

  var json: JSONValue {
    get throws(Refusal) {
      guard let body, !body.isEmpty else { throw .badRequest("the request has no body") }
      guard body.count <= Self.bodyLimit else {
        throw Refusal(413, "RequestEntityTooLarge", "the body is larger than \(Self.bodyLimit) bytes")
      }
      switch contentType {
      case ProtobufReader.mediaType: return try ProtobufReader.object(body)
      case "application/yaml":
        do {
          return try YAML.document(in: String(decoding: body, as: UTF8.self))
        } catch {
          throw .badRequest("the body of the request cannot be read as YAML: \(error)")
        }
      default:
        do {
          return try JSON.decode(JSONValue.self, from: body)
        } catch {
          throw .badRequest("the body of the request cannot be read as JSON: \(error)")
        }
      }
    }
  }
}

extension APIResponse {
  static func json(_ statusCode: Int, _ body: Data) -> APIResponse {
    APIResponse(statusCode: statusCode, headers: ["content-type": "application/json"], body: body)
  }
}

extension APIStream {
  /// Everything, once it has ended.
  func whole() async throws -> Data {
    var data = Data()
    for try await piece in body { data.append(piece) }
    return data
  }
}

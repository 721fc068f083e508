// Reading: one object, a list, a log; as they are, as a table, or their metadata.

import FoundationEssentials
import KubernetesClient
import KubernetesModel

extension EmbeddedAPIServer {
  /// Always whole: a client may ask for pages, and a server may answer with everything.
  func list(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> Data {
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

  func get(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> Data {
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

  func log(_ target: RequestTarget, _ request: APIRequest) async throws(Refusal) -> APIResponse {
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
}

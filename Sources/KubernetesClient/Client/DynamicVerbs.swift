// The verbs for types that are known at run time only: objects are whole JSON documents.
//
//     let policy = try await client.get(type, ObjectKey(namespace: "default", name: "nightly"))
//     policy["spec"]["schedule"].string

package import KubernetesModel

/// What a write is to be besides a write.
package struct WriteOptions: Sendable, Hashable {
  /// Let the server check and default the object without storing it.
  package var dryRun = false
  /// Let the server refuse fields that it does not know, rather than drop them. Servers before Kubernetes 1.25 drop
  /// them nevertheless.
  package var refusesUnknownFields = false

  package init(dryRun: Bool = false, refusesUnknownFields: Bool = false) {
    self.dryRun = dryRun
    self.refusesUnknownFields = refusesUnknownFields
  }

  var query: [APIRequest.QueryItem] {
    (dryRun ? [.init("dryRun", "All")] : []) + (refusesUnknownFields ? [.init("fieldValidation", "Strict")] : [])
  }
}

extension KubernetesClient {
  /// The object `key`.
  package func get(_ type: ResourceType, _ key: ObjectKey) async throws(APIError) -> JSONValue {
    try await get(type, key, as: JSONValue.self)
  }

  /// All objects of a type in one namespace, or everywhere, and the version of the whole. Each of them says its kind,
  /// which the items of a list do not do on the wire.
  package func list(
    _ type: ResourceType, namespace: String? = nil, labels: String? = nil, fields: String? = nil
  ) async throws(APIError) -> (items: [JSONValue], resourceVersion: String) {
    var list = try await list(
      type, as: JSONValue.self, namespace: namespace, labels: labels, fields: fields, pageSize: 500)
    for index in list.items.indices {
      list.items[index]["apiVersion"] = .string(type.apiVersion)
      list.items[index]["kind"] = .string(type.kind)
    }
    return list
  }

  /// The metadata of all objects of a type in one namespace, or everywhere.
  package func listMetadata(
    _ type: ResourceType, namespace: String? = nil, labels: String? = nil
  ) async throws(APIError) -> [ObjectMeta] {
    try await list(
      type, as: MetadataOnly.self, namespace: namespace, labels: labels, fields: nil, pageSize: 500
    ).items.map(\.metadata)
  }

  /// Creates an object, and returns it as stored.
  package func create(
    _ manifest: JSONValue, of type: ResourceType, namespace: String?, _ options: WriteOptions = .init()
  ) async throws(APIError) -> JSONValue {
    try await create(manifest, of: type, namespace: namespace, as: JSONValue.self, query: options.query)
  }

  /// Changes parts of an object, or of its subresource, and returns it as stored.
  package func patch(
    _ type: ResourceType, _ key: ObjectKey, _ patch: Patch, subresource: Subresource? = nil,
    _ options: WriteOptions = .init()
  ) async throws(APIError) -> JSONValue {
    try await self.patch(type, key, patch, subresource: subresource, as: JSONValue.self, query: options.query)
  }

  /// Asks for an object's deletion; an object with finalizers stays until they are gone.
  package func delete(
    _ type: ResourceType, _ key: ObjectKey, _ options: DeleteOptions = .init()
  ) async throws(APIError) {
    let request = APIRequest(.delete, try type.path(to: key), label: .init(verb: "delete", resource: type.plural))
    _ = try await send(request, body: options)
  }
}

/// What every object has.
private struct MetadataOnly: Decodable, Sendable {
  var metadata: ObjectMeta
}

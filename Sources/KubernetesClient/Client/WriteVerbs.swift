// Writing: create, update, patch and delete.

import FoundationEssentials
public import KubernetesModel

extension KubernetesClient {
  /// Creates an object in its metadata's namespace, and returns it as stored.
  /// - Parameter dryRun: Let the server check and default the object without storing it.
  public func create<O: KubernetesObject>(_ object: O, dryRun: Bool = false) async throws(APIError) -> O {
    var request = APIRequest(
      .post,
      O.resource.path(namespace: object.metadata.namespace),
      label: .init(verb: "create", resource: O.resource.plural)
    )
    if dryRun { request.query.append(.init("dryRun", "All")) }
    return try decode(O.self, from: await send(request, body: Manifest(object: object)), of: request)
  }

  /// Creates an object from a manifest that may hold more than `type` knows, and returns it as stored.
  public func create<O: KubernetesObject>(
    _ manifest: JSONValue,
    as type: O.Type,
    namespace: String?
  ) async throws(APIError) -> O {
    try await create(manifest, of: O.resource, namespace: namespace, as: O.self)
  }

  /// Creates an object of any type, and returns it as stored, read as `form`.
  func create<Form: Decodable>(
    _ manifest: JSONValue, of type: ResourceType, namespace: String?, as form: Form.Type,
    query: [APIRequest.QueryItem] = []
  ) async throws(APIError) -> Form {
    let request = APIRequest(
      .post, type.path(namespace: namespace), query: query, label: .init(verb: "create", resource: type.plural))
    var manifest = manifest
    manifest["apiVersion"] = .string(type.apiVersion)
    manifest["kind"] = .string(type.kind)
    return try decode(form, from: await send(request, body: manifest), of: request)
  }

  /// Replaces an object by exactly what `object` holds: **everything its type does not declare is erased**.
  ///
  /// Only for types that hold all there is, such as Leases and ConfigMaps; anything else is changed with
  /// ``patch(_:_:_:subresource:)``. With `metadata.resourceVersion` set, the update is refused (`isConflict`) when
  /// the object has changed since.
  public func update<O: KubernetesObject>(_ object: O) async throws(APIError) -> O {
    let request = APIRequest(
      .put,
      try O.resource.path(to: object.key),
      label: .init(verb: "update", resource: O.resource.plural)
    )
    return try decode(O.self, from: await send(request, body: Manifest(object: object)), of: request)
  }

  /// Changes parts of an object, or of its subresource, and returns it as stored.
  public func patch<O: KubernetesObject>(
    _ type: O.Type,
    _ key: ObjectKey,
    _ patch: Patch,
    subresource: Subresource? = nil
  ) async throws(APIError) -> O {
    try await self.patch(O.resource, key, patch, subresource: subresource, as: O.self)
  }

  /// Changes parts of an object of any type, and returns it as stored, read as `form`.
  func patch<Form: Decodable>(
    _ type: ResourceType, _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, as form: Form.Type,
    query: [APIRequest.QueryItem] = []
  ) async throws(APIError) -> Form {
    let request = APIRequest(
      .patch, try type.path(to: key, subresource: subresource), query: query, contentType: patch.contentType,
      label: .init(verb: "patch", resource: type.plural))
    return try decode(form, from: await send(request, body: patch), of: request)
  }

  /// Asks for an object's deletion; an object with finalizers stays until they are gone.
  public func delete<O: KubernetesObject>(
    _ type: O.Type,
    _ key: ObjectKey,
    _ options: DeleteOptions = .init()
  ) async throws(APIError) {
    try await delete(O.resource, key, options)
  }
}

/// An object with the type information that custom resources need to be told apart.
private struct Manifest<O: KubernetesObject>: Encodable {
  private enum Key: String, CodingKey { case apiVersion, kind }

  var object: O

  func encode(to encoder: any Encoder) throws {
    try object.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(O.resource.apiVersion, forKey: .apiVersion)
    try container.encode(O.resource.kind, forKey: .kind)
  }
}

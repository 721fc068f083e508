// Reading: get, list and a container's log.

package import FoundationEssentials
public import KubernetesModel

/// All objects of a list, and the version of the whole that a watch can go on from.
public struct ObjectList<O: KubernetesObject>: Sendable {
  public var items: [O]
  public var resourceVersion: String

  /// A list as if it had been read.
  public init(items: [O], resourceVersion: String) {
    self.items = items
    self.resourceVersion = resourceVersion
  }
}

extension KubernetesClient {
  /// The object `key`.
  public func get<O: KubernetesObject>(_ type: O.Type, _ key: ObjectKey) async throws(APIError) -> O {
    try await get(O.resource, key, as: O.self)
  }

  /// The object `key` of any type, read as `form`.
  func get<Form: Decodable>(
    _ type: ResourceType, _ key: ObjectKey, as form: Form.Type
  ) async throws(APIError) -> Form {
    let request = APIRequest(.get, type.path(of: key), label: .init(verb: "get", resource: type.plural))
    return try decode(form, from: await send(request), of: request)
  }

  /// All objects of a type in one namespace, or everywhere, that the selectors fit.
  ///
  /// Read in pages of 500, so neither side ever holds a huge answer. When a page token expires on the way (410) the
  /// list starts again, once.
  public func list<O: KubernetesObject>(
    _ type: O.Type,
    namespace: String? = nil,
    labels: String? = nil,
    fields: String? = nil
  ) async throws(APIError) -> ObjectList<O> {
    try await list(type, namespace: namespace, labels: labels, fields: fields, pageSize: 500)
  }

  func list<O: KubernetesObject>(
    _ type: O.Type,
    namespace: String?,
    labels: String?,
    fields: String?,
    pageSize: Int
  ) async throws(APIError) -> ObjectList<O> {
    let (items, resourceVersion) = try await list(
      O.resource, as: O.self, namespace: namespace, labels: labels, fields: fields, pageSize: pageSize)
    return ObjectList(items: items, resourceVersion: resourceVersion)
  }

  /// All objects of any type, each read as `form`, and the version of the whole.
  func list<Form: Decodable>(
    _ type: ResourceType,
    as form: Form.Type,
    namespace: String?,
    labels: String?,
    fields: String?,
    pageSize: Int
  ) async throws(APIError) -> (items: [Form], resourceVersion: String) {
    var restarts = 1
    var items: [Form] = []
    var token: String?
    while true {
      var request = APIRequest(
        .get,
        type.path(namespace: namespace),
        query: .selecting(labels: labels, fields: fields),
        timeout: .seconds(60),
        label: .init(verb: "list", resource: type.plural)
      )
      request.query.append(.init("limit", "\(pageSize)"))
      if let token { request.query.append(.init("continue", token)) }
      let page: Page<Form>
      do {
        page = try decode(Page<Form>.self, from: await send(request), of: request)
      } catch {
        guard error.isExpired && token != nil && restarts > 0 else { throw error }
        restarts -= 1
        items = []
        token = nil
        continue
      }
      items += page.items ?? []
      guard let next = page.metadata.continue, !next.isEmpty else {
        return (items, page.metadata.resourceVersion ?? "")
      }
      token = next
    }
  }

  /// What a container has written: the last `tailLines` lines, `limitBytes` bytes at most.
  /// - Parameter previous: The log of the container's instance before the last restart.
  public func log(
    ofPod key: ObjectKey,
    container: String? = nil,
    tailLines: Int? = nil,
    limitBytes: Int? = nil,
    previous: Bool = false
  ) async throws(APIError) -> String {
    var request = Self.logRequest(ofPod: key, container: container, tailLines: tailLines)
    if let limitBytes { request.query.append(.init("limitBytes", "\(limitBytes)")) }
    if previous { request.query.append(.init("previous", "true")) }
    return String(decoding: try await send(request), as: UTF8.self)
  }

  /// What a container writes, from its last `tailLines` lines on (all by default) until it has ended, in pieces as they come.
  package func followLog(
    ofPod key: ObjectKey, container: String? = nil, tailLines: Int? = nil
  ) async throws(APIError) -> any AsyncSequence<Data, any Error> & Sendable {
    var request = Self.logRequest(ofPod: key, container: container, tailLines: tailLines)
    request.query.append(.init("follow", "true"))
    return try await stream(request).body
  }

  private static func logRequest(ofPod key: ObjectKey, container: String?, tailLines: Int?) -> APIRequest {
    var request = APIRequest(
      .get,
      Pod.resource.path(of: key, subresource: .log),
      label: .init(verb: "log", resource: Pod.resource.plural)
    )
    if let container { request.query.append(.init("container", container)) }
    if let tailLines { request.query.append(.init("tailLines", "\(tailLines)")) }
    return request
  }
}

/// One page of a list as it comes over the wire. `items` can be `null`.
private struct Page<Item: Decodable>: Decodable {
  struct Metadata: Decodable {
    var resourceVersion: String?
    var `continue`: String?
  }
  var metadata: Metadata
  var items: [Item]?
}

extension [APIRequest.QueryItem] {
  static func selecting(labels: String?, fields: String?) -> Self {
    var items: Self = []
    if let labels { items.append(.init("labelSelector", labels)) }
    if let fields { items.append(.init("fieldSelector", fields)) }
    return items
  }
}

extension ResourceType {
  /// The path of one object, or of one of its subresources.
  func path(of key: ObjectKey, subresource: Subresource? = nil) -> String {
    path(namespace: key.namespace) + "/" + key.name + (subresource.map { "/" + $0.name } ?? "")
  }
}

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
  /// The object `key`; what stands for it if nothing but its metadata can be read.
  public func get<O: KubernetesObject>(_ type: O.Type, _ key: ObjectKey) async throws(APIError) -> O {
    let request = APIRequest(
      .get, try O.resource.path(to: key), label: .init(verb: "get", resource: O.resource.plural))
    let body = try await send(request)
    switch ObjectReading(JSONSlice(body), of: O.resource, as: O.self) {
    case .whole(let object): return object
    case .unreadable(let object):
      guard let remains = object.metadata.flatMap(O.remains) else {
        throw .malformed("\(request.summary): the answer is no \(type): \(object.problem)")
      }
      return remains
    }
  }

  /// The object `key` of any type, read as `form`.
  func get<Form: Decodable>(
    _ type: ResourceType, _ key: ObjectKey, as form: Form.Type
  ) async throws(APIError) -> Form {
    let request = APIRequest(.get, try type.path(to: key), label: .init(verb: "get", resource: type.plural))
    return try decode(form, from: await send(request), of: request)
  }

  /// All objects of a type in one namespace, or everywhere, that the selectors fit; for those of which nothing but the
  /// metadata can be read, what stands for them.
  ///
  /// Read in pages of 500, so neither side ever holds a huge answer. When a page token expires on the way (410) the
  /// list starts again, once.
  /// - Throws: `malformed` also when there is an object that cannot be read, and nothing to stand for it.
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
    let (readings, resourceVersion) = try await readings(
      O.resource, as: O.self, namespace: namespace, labels: labels, fields: fields, pageSize: pageSize)
    var items: [O] = []
    for reading in readings {
      switch reading {
      case .whole(let object): items.append(object)
      case .unreadable(let object):
        guard let remains = object.metadata.flatMap(O.remains) else { throw .malformed("\(object)") }
        items.append(remains)
      }
    }
    return ObjectList(items: items, resourceVersion: resourceVersion)
  }

  /// All objects of a type one by one, those that cannot be read as well.
  package func listLeniently<O: KubernetesObject>(
    _ type: O.Type, namespace: String?, labels: String?, fields: String?
  ) async throws(APIError) -> (items: [ObjectReading<O>], resourceVersion: String) {
    try await readings(
      O.resource, as: O.self, namespace: namespace, labels: labels, fields: fields, pageSize: 500)
  }

  /// All objects of any type, each read as `form`, and the version of the whole.
  func list<Form: Decodable & Sendable>(
    _ type: ResourceType, as form: Form.Type, namespace: String?, labels: String?, fields: String?, pageSize: Int
  ) async throws(APIError) -> (items: [Form], resourceVersion: String) {
    let (readings, resourceVersion) = try await readings(
      type, as: form, namespace: namespace, labels: labels, fields: fields, pageSize: pageSize)
    var items: [Form] = []
    for reading in readings {
      switch reading {
      case .whole(let object): items.append(object)
      case .unreadable(let object): throw .malformed("\(object)")
      }
    }
    return (items, resourceVersion)
  }

  /// All objects of any type, each read as `form` as far as it can be, and the version of the whole.
  private func readings<Form: Decodable & Sendable>(
    _ type: ResourceType, as form: Form.Type, namespace: String?, labels: String?, fields: String?, pageSize: Int
  ) async throws(APIError) -> (items: [ObjectReading<Form>], resourceVersion: String) {
    var restarts = 1
    var items: [ObjectReading<Form>] = []
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
      let page: ListPage<Form>
      do {
        page = try self.page(of: type, from: await send(request), of: request)
      } catch {
        guard error.isExpired && token != nil && restarts > 0 else { throw error }
        restarts -= 1
        items = []
        token = nil
        continue
      }
      items += page.items
      guard let next = page.metadata.continue, !next.isEmpty else {
        return (items, page.metadata.resourceVersion ?? "")
      }
      token = next
    }
  }

  private func page<Form: Decodable & Sendable>(
    of type: ResourceType, from body: Data, of request: APIRequest
  ) throws(APIError) -> ListPage<Form> {
    do {
      return try ListPage(body, of: type)
    } catch {
      throw .malformed("\(request.summary): the answer is no list of \(type.plural): \(explain(error))")
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

extension [APIRequest.QueryItem] {
  static func selecting(labels: String?, fields: String?) -> Self {
    var items: Self = []
    if let labels { items.append(.init("labelSelector", labels)) }
    if let fields { items.append(.init("fieldSelector", fields)) }
    return items
  }
}

extension ResourceType {
  /// The path of one object, whose name may come from anywhere.
  /// - Throws: "not found" for what is no name of an object: as part of a path it would lead elsewhere.
  func path(to key: ObjectKey, subresource: Subresource? = nil) throws(APIError) -> String {
    guard key.isAddressable else {
      let message = "\(plural) \(key.name.debugDescription) not found: no object can have this name"
      throw .refused(APIStatus(code: 404, reason: "NotFound", message: message), request: "\(kind)")
    }
    return path(of: key, subresource: subresource)
  }

  /// The path of one object, or of one of its subresources.
  func path(of key: ObjectKey, subresource: Subresource? = nil) -> String {
    path(namespace: key.namespace) + "/" + key.name + (subresource.map { "/" + $0.name } ?? "")
  }
}

extension ObjectKey {
  /// Whether both parts can be part of a path: Kubernetes' own rule for path segments.
  fileprivate var isAddressable: Bool {
    [name, namespace ?? "default"].allSatisfy { part in
      !part.isEmpty && part != "." && part != ".."
        && !part.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "%") }
    }
  }
}

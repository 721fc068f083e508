// An API server in memory: what the real one does to objects that pass validation, as fast as a test wants it.
//
//     InMemoryAPIServer   the verbs as requests (APITransport) and as calls for tests; caches fed without a reflector
//     ServerState         objects, versions, preconditions, subresources, finalizers
//     GarbageCollector    owner references
//     ServerWatch         watches as streams of lines, for real reflectors
//     FaultyConnection    requests that get lost, answers that get lost, processes that die
//
// It knows no schemas: nothing is defaulted, and nothing validated unless a test says by which rule.

package import KubernetesClient
package import KubernetesModel
package import OperatorRuntime
import Synchronization

/// An API server for tests.
package final class InMemoryAPIServer: APITransport {
  /// Told of each change while nothing else happens, with all objects as they then are. Must not call the server.
  package typealias Observer = @Sendable (ServerChange, [ResourcePath: JSONValue]) -> Void

  /// What the server says against an object that a request would store, and what it was before; `nil` to take it.
  package typealias Rule = @Sendable (_ path: ResourcePath, _ new: JSONValue, _ old: JSONValue?) -> String?

  struct Served {
    var rule: Rule = { _, _, _ in nil }
    var storage = ServerState()
    var feeds: [Feed] = []
    var observers: [Observer] = []
    var watchers: [Int: Watcher] = [:]
    var nextWatcher = 0
    /// How much of the history has been told.
    var told = 0
    var isWatchHeld = false
  }

  /// A cache that is kept in step.
  struct Feed {
    var tell: @Sendable (ServerChange) -> Void
    var untold: [ServerChange] = []
  }

  let state = Mutex(Served())
  let time: any TimeSource

  /// An empty server that goes by `time`.
  package init(time: any TimeSource) { self.time = time }

  // MARK: Looking, as tests do

  /// The object of `key`.
  package func find<O: KubernetesObject>(_ type: O.Type, _ key: ObjectKey) -> O? { json(type, key)?.typed() }

  /// The whole object of `key`.
  package func json<O: KubernetesObject>(_ type: O.Type, _ key: ObjectKey) -> JSONValue? {
    state.withLock { $0.storage.objects[ResourcePath(O.resource, key)] }
  }

  /// All objects of a type, in the order of their keys.
  package func all<O: KubernetesObject>(_ type: O.Type) -> [O] {
    let path = ResourcePath(O.resource, ObjectKey(namespace: nil, name: ""))
    return state.withLock { $0.storage.list(path, LabelSelector(nil)) }.compactMap { $0.typed() }
  }

  /// All that is stored.
  package var objects: [ResourcePath: JSONValue] { state.withLock { $0.storage.objects } }

  /// How often anything was changed so far.
  package var revision: Int { state.withLock { $0.storage.revision } }

  // MARK: Changing, as others than the client under test do

  /// Creates an object, status and all.
  @discardableResult
  package func create<O: KubernetesObject>(_ object: O) throws -> O {
    try create(O.self, JSONValue(encoding: object), namespace: object.metadata.namespace)
  }

  /// Creates an object from a whole manifest.
  @discardableResult
  package func create<O: KubernetesObject>(_ type: O.Type, _ json: JSONValue, namespace: String?) throws -> O {
    let path = ResourcePath(O.resource, ObjectKey(namespace: namespace, name: ""))
    return try serve { try $0.create(path, json, now: Timestamp(time.now)) }.decoded(as: O.self)
  }

  /// Changes an object, its status included; nothing happens when there is none.
  package func change<O: KubernetesObject>(_ type: O.Type, _ key: ObjectKey, _ body: (inout JSONValue) -> Void) {
    var path = ResourcePath(O.resource, key)
    for subresource in [nil, "status"] {
      path.subresource = subresource
      _ = try? serve { state in
        try state.change(path) { (old: JSONValue) throws(Refusal) -> JSONValue in
          var new = old
          body(&new)
          return new
        }
      }
    }
  }

  /// Deletes an object; nothing happens when there is none.
  package func delete<O: KubernetesObject>(
    _ type: O.Type, _ key: ObjectKey, _ options: DeleteOptions = DeleteOptions(propagation: .background)
  ) {
    guard let options = try? JSONValue(encoding: options) else { return }
    _ = try? serve { try $0.delete(ResourcePath(O.resource, key), options, now: Timestamp(time.now)) }
  }

  /// Does one thing that the garbage collector would do next; whether there was anything to do.
  package func collectGarbage() -> Bool {
    let now = Timestamp(time.now)
    return (try? serve { $0.collectGarbage(now: now) }) ?? false
  }

  /// Lets nothing more be created in the namespace.
  package func terminate(namespace: String) {
    state.withLock { _ = $0.storage.terminatingNamespaces.insert(namespace) }
  }

  /// From now on requests are refused (422) that would store what `rule` is against.
  package func validate(by rule: @escaping Rule) { state.withLock { $0.rule = rule } }

  /// Calls `observer` at each change from now on.
  package func observe(_ observer: @escaping Observer) { state.withLock { $0.observers.append(observer) } }

  // MARK: Caches

  /// Fills `store` and keeps it in step, as a reflector does, but before the request that changed something returns.
  package func feed<O: KubernetesObject>(_ store: ObjectStore<O>, namespace: String? = nil, labels: String? = nil) {
    let source = StoreSource(namespace: namespace)
    let collection = ResourcePath(O.resource, ObjectKey(namespace: namespace, name: ""))
    let selector = LabelSelector(labels)
    store.addSource(source)
    state.withLock { state in
      let listed: [O] = state.storage.list(collection, selector).compactMap { $0.typed() }
      store.replace(source, with: listed, version: "\(state.storage.revision)")
      state.feeds.append(
        Feed { change in
          guard change.path.isWithin(collection) else { return }
          guard let seen = change.seen(through: selector), let object: O = change.object.typed() else { return }
          switch seen {
          case .added, .modified: store.apply(source, object)
          case .deleted: store.delete(source, object)
          }
        })
    }
  }

  /// Feeds no cache any more, as when the process that had them has died.
  package func stopFeeding() { state.withLock { $0.feeds = [] } }

  /// Keeps changes from the caches until ``deliver()``; the first call of that ends nothing but this silence's past.
  package func holdWatch(_ isHeld: Bool = true) { state.withLock { $0.isWatchHeld = isHeld } }

  /// Tells the caches what was kept from them; whether there was anything.
  package func deliver() -> Bool {
    state.withLock { state in
      var hasTold = false
      for index in state.feeds.indices {
        for change in state.feeds[index].untold { state.feeds[index].tell(change) }
        hasTold = hasTold || !state.feeds[index].untold.isEmpty
        state.feeds[index].untold = []
      }
      return hasTold
    }
  }

  /// Loses what was kept from the caches: they never hear of it.
  package func loseWatchEvents() {
    state.withLock { state in for index in state.feeds.indices { state.feeds[index].untold = [] } }
  }

  // MARK: Requests

  package func send(_ request: APIRequest) async throws -> APIResponse {
    try Task.checkCancellation()
    do {
      return APIResponse(statusCode: 200, body: try JSON.encode(try answer(request)))
    } catch let refusal as Refusal {
      return refusal.response
    }
  }

  private func answer(_ request: APIRequest) throws -> JSONValue {
    guard let path = ResourcePath(request.path) else { throw Refusal(404, "NotFound", "no \(request.path)") }
    let now = Timestamp(time.now)
    let body = try request.body.map { try JSON.decode(JSONValue.self, from: $0) } ?? .null
    switch request.method {
    case .get where path.name == nil: return list(path, request)
    case .get: return try serve { try $0.object(path) }
    case .post:
      var draft = body
      // Of kinds with a status subresource the status cannot come with the object.
      if path.plural != "configmaps" { draft.removeMember("status") }
      try check(path, draft, nil)
      if request.value("dryRun") != nil { return draft }
      return try serve { try $0.create(path, draft, now: now) }
    case .put:
      return try serve { try $0.change(path) { (_: JSONValue) throws(Refusal) -> JSONValue in body } }
    case .patch:
      let isMerge = request.contentType == "application/merge-patch+json"
      if request.value("dryRun") != nil {
        let old = try serve { try $0.object(path) }
        return isMerge ? old.merged(with: body) : try old.patched(with: body)
      }
      let rule = state.withLock { $0.rule }
      return try serve { state in
        try state.change(path, isPatch: true) { (old: JSONValue) throws(Refusal) -> JSONValue in
          let new = isMerge ? old.merged(with: body) : try old.patched(with: body)
          if let problem = rule(path, new, old) { throw .invalid(problem) }
          return new
        }
      }
    case .delete: return try serve { try $0.delete(path, body, now: now) }
    }
  }

  private func check(_ path: ResourcePath, _ new: JSONValue, _ old: JSONValue?) throws(Refusal) {
    if let problem = state.withLock({ $0.rule })(path, new, old) { throw .invalid(problem) }
  }

  private func list(_ path: ResourcePath, _ request: APIRequest) -> JSONValue {
    state.withLock { state in
      let name = request.value("fieldSelector").map { String($0.dropFirst("metadata.name=".count)) }
      let all = state.storage.list(path, LabelSelector(request.value("labelSelector"))).filter {
        name == nil || $0["metadata"]["name"].string == name
      }
      let start = Int(request.value("continue") ?? "") ?? 0
      let page = all.dropFirst(start).prefix(Int(request.value("limit") ?? "") ?? .max)
      var metadata: JSONValue = ["resourceVersion": .string("\(state.storage.revision)")]
      if start + page.count < all.count { metadata["continue"] = .string("\(start + page.count)") }
      return ["metadata": metadata, "items": .array(Array(page))]
    }
  }

  /// Does something to the storage and tells everybody who listens.
  private func serve<Answer>(_ body: (inout ServerState) throws -> Answer) throws -> Answer {
    try state.withLock { state in
      let before = state.storage.revision
      let answer = try body(&state.storage)
      for change in state.storage.history.reversed().prefix(while: { $0.revision > before }).reversed() {
        for observer in state.observers { observer(change, state.storage.objects) }
        for watcher in state.watchers.values { watcher.tell(change) }
        for index in state.feeds.indices {
          if state.isWatchHeld || !state.feeds[index].untold.isEmpty {
            state.feeds[index].untold.append(change)
          } else {
            state.feeds[index].tell(change)
          }
        }
      }
      return answer
    }
  }
}

extension ServerChange {
  /// What a watch with `selector` sees of the change: an object that comes to fit, or ceases to, is added or deleted.
  package func seen(through selector: LabelSelector) -> Kind? {
    let fitted = old.map(selector.matches) ?? false
    let fits = selector.matches(object) && kind != .deleted
    return switch (fitted, fits) {
    case (false, true): .added
    case (true, true): .modified
    case (true, false): .deleted
    case (false, false): nil
    }
  }
}

extension APIRequest {
  /// The value of a query item.
  package func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

extension JSONValue {
  /// The document as a type, or what stands for it if it does not fit.
  func typed<O: KubernetesObject>() -> O? {
    if let object = try? decoded(as: O.self) { return object }
    return (try? JSON.encode(self)).flatMap { ObjectMeta(remainsOf: JSONSlice($0)) }.flatMap(O.remains)
  }
}

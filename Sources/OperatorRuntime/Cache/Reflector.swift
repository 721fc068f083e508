// The reflector: keeps a store in step with the API server by one list and then a watch.
//
// ListWatchCycle decides, this type does. Several reflectors may feed one store, each with a namespace of its own.
//
// An object that cannot be read is told of (UnreadableObjects), and keeps none of the others from the store. In it is
// what stands for such an object (KubernetesObject.remains), or nothing.

package import KubernetesClient
package import KubernetesModel
package import Logging

/// Mirrors the objects of one type, in one namespace or in all, into a store.
package struct Reflector<Object: KubernetesObject>: Sendable {
  private let client: KubernetesClient
  private let store: ObjectStore<Object>
  private let source: StoreSource
  private let labels: String?
  private let fields: String?
  private let time: any TimeSource
  private let random: RandomSource
  private let logger: Logger
  private let lists: Counter
  private let watches: Counter
  private let unreadable: UnreadableObjects

  /// A reflector of the objects that the selectors fit; a `nil` namespace stands for all of them.
  package init(
    client: KubernetesClient,
    store: ObjectStore<Object>,
    namespace: String? = nil,
    labels: String? = nil,
    fields: String? = nil,
    time: any TimeSource,
    random: RandomSource,
    logger: Logger,
    metrics: MetricsRegistry,
    unreadable: UnreadableObjects? = nil
  ) {
    self.client = client
    self.store = store
    self.source = StoreSource(namespace: namespace)
    self.labels = labels
    self.fields = fields
    self.time = time
    self.random = random
    var logger = logger
    logger[metadataKey: "resource"] = "\(Object.resource.plural)"
    if let namespace { logger[metadataKey: "namespace"] = "\(namespace)" }
    self.logger = logger
    let names = ["resource": Object.resource.plural]
    lists = metrics.counter("reflector_lists_total", "Complete lists read.", labels: names)
    watches = metrics.counter("reflector_watches_total", "Watches begun.", labels: names)
    self.unreadable = unreadable ?? UnreadableObjects(metrics: metrics)
    self.unreadable.register(Object.resource)
    store.addSource(source)
  }

  /// Keeps the store in step until the task is cancelled.
  /// - Throws: `CancellationError`.
  package func run() async throws {
    var cycle = ListWatchCycle(random: random)
    var trouble = Trouble(resource: Object.resource)
    var action = cycle.action
    while true {
      switch action {
      case .list(let delay):
        try await time.sleep(for: delay)
        action = try await list(&cycle, &trouble)
      case .watch(let version, let delay):
        try await time.sleep(for: delay)
        action = try await watch(from: version, &cycle, &trouble)
      }
    }
  }

  private func list(_ cycle: inout ListWatchCycle, _ trouble: inout Trouble) async throws -> ListWatchCycle.Action {
    do {
      let list = try await client.listLeniently(
        Object.self, namespace: source.namespace, labels: labels, fields: fields)
      take(list.items, version: list.resourceVersion)
      lists.increment()
      trouble.ended(logger)
      return cycle.event(.listed(version: list.resourceVersion), at: time.uptime)
    } catch {
      try Task.checkCancellation()
      trouble.met(error, verb: "list", logger)
      return cycle.event(.listFailed(error), at: time.uptime)
    }
  }

  private func watch(
    from version: String,
    _ cycle: inout ListWatchCycle,
    _ trouble: inout Trouble
  ) async throws -> ListWatchCycle.Action {
    do {
      // Random, so that the watches of many clients do not all end, and begin again, at one time.
      let timeout = Duration.seconds(random(in: 300...600))
      let stream = try await client.watch(
        Object.self,
        namespace: source.namespace,
        labels: labels,
        fields: fields,
        from: version,
        timeout: timeout
      )
      watches.increment()
      _ = cycle.event(.watching, at: time.uptime)
      for await event in stream {
        if case .failed(let error) = event { throw error }
        if let version = take(event) { _ = cycle.event(.saw(version: version), at: time.uptime) }
      }
      try Task.checkCancellation()
      return cycle.event(.watchEnded(nil), at: time.uptime)
    } catch let error as APIError {
      try Task.checkCancellation()
      if error.isExpired {
        logger.debug("the watch's version is too old, listing again")
      } else {
        trouble.met(error, verb: "watch", logger)
      }
      return cycle.event(.watchEnded(error), at: time.uptime)
    }
  }

  /// Puts what a list shows into the store.
  private func take(_ list: [ObjectReading<Object>], version: String) {
    var objects: [Object] = []
    var troubled: [UnreadableObject] = []
    for reading in list {
      switch reading {
      case .whole(let object): objects.append(object)
      case .unreadable(let object):
        troubled.append(object)
        if let remains = object.metadata.flatMap(Object.remains) { objects.append(remains) }
      }
    }
    unreadable.replace(Object.resource, source, with: troubled, logger)
    store.replace(source, with: objects, version: version)
  }

  /// Puts an object that cannot be read, or what stands for it, into the store; the version that has been reached.
  private func take(_ object: UnreadableObject, isDeleted: Bool) -> String? {
    let version = object.metadata?.resourceVersion
    if isDeleted, let key = object.key {
      unreadable.clear(Object.resource, source, key, logger)
    } else if !isDeleted {
      unreadable.note(Object.resource, source, object, logger)
    }
    guard let metadata = object.metadata else { return nil }
    if !isDeleted, let remains = Object.remains(metadata) {
      store.apply(source, remains)
    } else {
      store.remove(source, metadata.key, version: version ?? "")
    }
    return version
  }

  /// Puts what an event tells into the store; the version that has been reached with it.
  private func take(_ event: WatchEvent<Object>) -> String? {
    switch event {
    case .added(let object), .modified(let object):
      unreadable.clear(Object.resource, source, object.key, logger)
      store.apply(source, object)
      return object.metadata.resourceVersion
    case .unreadable(let object, let isDeleted):
      return take(object, isDeleted: isDeleted)
    case .deleted(let object):
      unreadable.clear(Object.resource, source, object.key, logger)
      store.delete(source, object)
      return object.metadata.resourceVersion
    case .bookmark(let version):
      store.bookmark(source, version: version)
      return version
    case .failed:
      return nil
    }
  }
}

extension Reflector: CacheSource {
  package var name: String { Object.resource.plural }
  package var isSynced: Bool { store.isSynced }
  package func waitUntilSynced() async throws { try await store.waitUntilSynced() }
}

/// What keeps a cache filled, whatever type of object is in it.
package protocol CacheSource: Sendable {
  /// The resource type, for people.
  var name: String { get }
  /// Whether the cache has been filled once.
  var isSynced: Bool { get }
  /// Returns once ``isSynced``.
  func waitUntilSynced() async throws
  /// Keeps the cache in step until the task is cancelled.
  func run() async throws
}

/// What keeps a reflector from its work, told once and not at each attempt.
private struct Trouble {
  let resource: ResourceType
  private var told: String?

  init(resource: ResourceType) { self.resource = resource }

  mutating func met(_ error: APIError, verb: String, _ logger: Logger) {
    let message = "cannot \(verb) \(resource.apiVersion) \(resource.plural): \(hint(for: error) ?? "trying again")"
    let description = "\(message) \(error)"
    logger.log(level: told == description ? .debug : .warning, "\(message)", metadata: ["error": "\(error)"])
    told = description
  }

  mutating func ended(_ logger: Logger) {
    if told != nil { logger.info("the server lists \(resource.apiVersion) \(resource.plural) again") }
    told = nil
  }

  /// What has to happen for it to work.
  private func hint(for error: APIError) -> String? {
    if error.isNotFound { return "waiting for the CustomResourceDefinition to be installed" }
    if error.isForbidden { return "waiting for a role that allows list and watch" }
    if error.isUnauthorized { return "waiting for credentials that the server accepts" }
    return nil
  }
}

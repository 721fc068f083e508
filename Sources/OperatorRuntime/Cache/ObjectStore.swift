// The cache of one resource type, filled by reflectors and by the answers to our own writes.
//
// Two rules keep it from ever going back in time:
// - what is older than the cached state of the same object is ignored, wherever it comes from;
// - the answer to a write of our own is ignored once the watch has passed its version, for then the watch has already
//   told of that write, or of what came after it (the object's deletion, for example).
// Both rest on the order of resource versions, see ResourceVersion.

public import KubernetesModel
import Synchronization

/// One change of a store.
public enum StoreChange<Object: KubernetesObject>: Sendable {
  case added(Object)
  case updated(old: Object, new: Object)
  /// The object is gone; this is the last state that was seen of it, which need not be its final one.
  case deleted(Object)

  /// The object as it is now, or last was.
  public var object: Object {
    switch self {
    case .added(let object), .updated(_, let object), .deleted(let object): object
    }
  }
}

/// A consistent, local copy of all objects of one type that are watched.
public final class ObjectStore<Object: KubernetesObject>: Sendable {
  private let state: Mutex<StoreState<Object>>
  /// Held while a change is made and told, so that handlers hear of changes in the order they were made in.
  private let handlers = Mutex<[@Sendable (StoreChange<Object>) -> Void]>([])
  private let synced = Signal()

  /// An empty store that can be asked for objects by these indexes.
  public init(indexes: [ObjectIndex<Object>] = []) { state = Mutex(StoreState(indexes: indexes)) }

  /// The object of this key.
  public subscript(key: ObjectKey) -> Object? { state.withLock { $0.objects[key] } }

  /// The objects for which `index` yields `value`, in the order of their keys.
  public func objects(_ index: ObjectIndex<Object>, _ value: String) -> [Object] {
    state.withLock { $0.objects(index, value) }
  }

  /// Whether the watch has told, not long ago, that an object of this key and owner was deleted: it has existed then, even
  /// if whoever created it never got an answer.
  package func hasDeleted(_ key: ObjectKey, ownedBy owner: String) -> Bool {
    state.withLock { $0.hasDeleted(key, ownedBy: owner) }
  }

  /// All objects, in the order of their keys.
  public var all: [Object] { state.withLock { $0.objects.sorted { $0.key < $1.key }.map(\.value) } }

  public var count: Int { state.withLock { $0.objects.count } }

  /// Whether every source has delivered its first complete list.
  public var isSynced: Bool { synced.isRaised }

  /// Returns once ``isSynced``.
  /// - Throws: `CancellationError` when the task is cancelled first.
  public func waitUntilSynced() async throws { try await synced.wait() }

  /// Calls `handler` for each change from now on, in order, and first with an `added` for each object that is there.
  ///
  /// The handler runs synchronously: it must be quick and must not write to this store. Enqueue and return.
  public func onChange(_ handler: @escaping @Sendable (StoreChange<Object>) -> Void) {
    handlers.withLock { handlers in
      for object in all { handler(.added(object)) }
      handlers.append(handler)
    }
  }

  /// Puts the answer to a write of our own into the cache at once, so that no reconcile sees an older state.
  public func record(_ written: Object) { change { $0.record(written) } }

  /// Takes an object out that the server has said does not exist, whatever the watch has told, or failed to tell.
  public func forget(_ object: Object) { change { $0.forget(object.key, uid: object.metadata.uid) } }

  // MARK: What reflectors do

  /// Announces a source; the store is synced when all of them have listed.
  package func addSource(_ source: StoreSource) {
    state.withLock { $0.sources[source] = $0.sources[source] ?? StoreState<Object>.Progress() }
  }

  /// Makes the source's part of the store what a complete list says, all at once.
  package func replace(_ source: StoreSource, with objects: [Object], version: String) {
    change { $0.replace(source, with: objects, version: ResourceVersion(version)) }
    if state.withLock({ $0.isSynced }) { synced.raise() }
  }

  /// Takes an object that was added or modified, as the watch tells it.
  package func apply(_ source: StoreSource, _ object: Object) { change { $0.apply(source, object) } }

  /// Takes the deletion of an object, as the watch tells it.
  package func delete(_ source: StoreSource, _ object: Object) { change { $0.delete(source, object) } }

  /// Takes out the object of this key, of which the watch tells that it is gone, or in a state that cannot be read.
  package func remove(_ source: StoreSource, _ key: ObjectKey, version: String) {
    change { $0.remove(source, key, version: ResourceVersion(version)) }
  }

  /// Notes that the watch has told everything up to this version.
  package func bookmark(_ source: StoreSource, version: String) {
    state.withLock { $0.pass(source, ResourceVersion(version)) }
  }

  private func change(_ body: (inout StoreState<Object>) -> [StoreChange<Object>]) {
    handlers.withLock { handlers in
      for change in state.withLock({ body(&$0) }) {
        for handler in handlers { handler(change) }
      }
    }
  }
}

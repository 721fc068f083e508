// What a store knows, as a value: every rule about which state of an object is the newest lives here, without locks.

import KubernetesModel

/// Where part of a store comes from: the list and watch of one namespace, or of all.
package struct StoreSource: Sendable, Hashable {
  /// `nil` for all namespaces, and for cluster-scoped types.
  package var namespace: String?

  package init(namespace: String?) { self.namespace = namespace }
}

/// The last objects that were deleted.
private struct Graves {
  struct Grave {
    /// The version of the deletion.
    var version: ResourceVersion
    /// The UID of the controlling owner.
    var owner: String?
  }

  private static let limit = 256

  private var graves: [ObjectKey: Grave] = [:]
  private var order = FIFO<ObjectKey>()

  subscript(key: ObjectKey) -> Grave? { graves[key] }

  mutating func bury(_ object: some KubernetesObject) {
    let grave = Grave(
      version: ResourceVersion(object.metadata.resourceVersion ?? ""), owner: object.metadata.controllerOwner?.uid)
    if graves.updateValue(grave, forKey: object.key) == nil { order.append(object.key) }
    if order.count > Self.limit, let oldest = order.popFirst() { graves[oldest] = nil }
  }
}

/// The objects of a store, their indexes, and how far each source has got.
struct StoreState<Object: KubernetesObject> {
  struct Progress {
    /// Up to here the source has told everything; `nil` before its first list.
    var seen: ResourceVersion?
  }

  private(set) var objects: [ObjectKey: Object] = [:]
  var sources: [StoreSource: Progress] = [:]
  private let indexes: [ObjectIndex<Object>]
  /// Up to which version objects are known to be gone, so that no event that comes late or twice brings one back.
  private var graves = Graves()
  /// Index name, then value, to the keys found there.
  private var entries: [String: [String: Set<ObjectKey>]] = [:]

  init(indexes: [ObjectIndex<Object>]) {
    self.indexes = indexes
    for index in indexes { entries[index.name] = [:] }
  }

  var isSynced: Bool { !sources.isEmpty && sources.values.allSatisfy { $0.seen != nil } }

  func objects(_ index: ObjectIndex<Object>, _ value: String) -> [Object] {
    guard let entries = entries[index.name] else {
      return objects.filter { index.values($0.value).contains(value) }.sorted { $0.key < $1.key }.map(\.value)
    }
    return (entries[value] ?? []).sorted().compactMap { objects[$0] }
  }

  func hasDeleted(_ key: ObjectKey, ownedBy owner: String) -> Bool { graves[key].map { $0.owner == owner } ?? false }

  // MARK: Changes

  mutating func record(_ written: Object) -> [StoreChange<Object>] {
    if let seen = sources[source(of: written.key)]?.seen, !isNewer(written, than: seen) { return [] }
    return put(written)
  }

  mutating func forget(_ key: ObjectKey, uid: String?) -> [StoreChange<Object>] {
    guard let cached = objects[key], cached.metadata.uid == uid else { return [] }
    return remove(key, lastState: cached)
  }

  mutating func apply(_ source: StoreSource, _ object: Object) -> [StoreChange<Object>] {
    defer { pass(source, version(object)) }
    return put(object)
  }

  mutating func delete(_ source: StoreSource, _ object: Object) -> [StoreChange<Object>] {
    defer { pass(source, version(object)) }
    graves.bury(object)
    guard let cached = objects[object.key], !version(object).isOlder(than: version(cached)) else { return [] }
    return remove(object.key, lastState: object)
  }

  mutating func remove(
    _ source: StoreSource, _ key: ObjectKey, version: ResourceVersion
  ) -> [StoreChange<Object>] {
    defer { pass(source, version) }
    guard let cached = objects[key], !version.isOlder(than: self.version(cached)) else { return [] }
    return remove(key, lastState: cached)
  }

  mutating func replace(
    _ source: StoreSource,
    with list: [Object],
    version listVersion: ResourceVersion
  ) -> [StoreChange<Object>] {
    // A complete list cannot be older than what the watch has told already, unless the server's history was replaced
    // (a backup restored): then versions we know mean nothing any more.
    let isRewound = sources[source]?.seen.map { listVersion.isOlder(than: $0) } ?? false
    sources[source] = Progress(seen: listVersion)
    let listed = Set(list.map(\.key))
    let gone = objects.filter { key, cached in
      guard self.source(of: key) == source, !listed.contains(key) else { return false }
      return isRewound || !listVersion.isOlder(than: version(cached))
    }
    return gone.sorted { $0.key < $1.key }.flatMap { remove($0.key, lastState: $0.value) }
      + list.flatMap { put($0, anyVersion: isRewound) }
  }

  mutating func pass(_ source: StoreSource, _ version: ResourceVersion) {
    // What could not be read may lack its version.
    if version.text.isEmpty { return }
    if let seen = sources[source]?.seen, version.isOlder(than: seen) { return }
    sources[source]?.seen = version
  }

  // MARK: Details

  private func version(_ object: Object) -> ResourceVersion { ResourceVersion(object.metadata.resourceVersion ?? "") }

  private func isNewer(_ object: Object, than other: ResourceVersion) -> Bool {
    let own = version(object)
    return own != other && !own.isOlder(than: other)
  }

  /// The source that tells about objects of this key.
  private func source(of key: ObjectKey) -> StoreSource {
    let ofNamespace = StoreSource(namespace: key.namespace)
    return sources[ofNamespace] == nil ? StoreSource(namespace: nil) : ofNamespace
  }

  private mutating func put(_ object: Object, anyVersion: Bool = false) -> [StoreChange<Object>] {
    let key = object.key
    guard let cached = objects[key] else {
      if !anyVersion, let grave = graves[key], !isNewer(object, than: grave.version) { return [] }
      insert(object)
      return [.added(object)]
    }
    guard anyVersion || isNewer(object, than: version(cached)) else { return [] }
    if cached.metadata.uid != object.metadata.uid {
      // The deletion in between was missed.
      let deletion = remove(key, lastState: cached)
      insert(object)
      return deletion + [.added(object)]
    }
    unindex(cached)
    insert(object)
    return [.updated(old: cached, new: object)]
  }

  private mutating func insert(_ object: Object) {
    objects[object.key] = object
    for index in indexes {
      for value in index.values(object) { entries[index.name]?[value, default: []].insert(object.key) }
    }
  }

  private mutating func remove(_ key: ObjectKey, lastState: Object) -> [StoreChange<Object>] {
    guard let cached = objects.removeValue(forKey: key) else { return [] }
    unindex(cached)
    return [.deleted(lastState)]
  }

  private mutating func unindex(_ object: Object) {
    for index in indexes {
      for value in index.values(object) {
        entries[index.name]?[value]?.remove(object.key)
        if entries[index.name]?[value]?.isEmpty == true { entries[index.name]?[value] = nil }
      }
    }
  }
}

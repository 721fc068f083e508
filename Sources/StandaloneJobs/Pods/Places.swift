// Places: how many pods may run at the same time, and who is next.

internal import KubernetesModel
internal import Synchronization

/// Hands out places, to the oldest pod first.
final class Places: Sendable {
  /// The order in which pods come: by age, then by name.
  struct Turn: Sendable, Hashable, Comparable {
    var created: Int64
    var key: ObjectKey

    init(_ pod: LocalPod) {
      created = pod.metadata.creationTimestamp?.unixSeconds ?? 0
      key = pod.key
    }

    static func < (left: Turn, right: Turn) -> Bool { (left.created, left.key) < (right.created, right.key) }
  }

  private struct State {
    var taken: [String: ObjectKey] = [:]
    var waiting: [String: Turn] = [:]
  }

  let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = max(1, limit) }

  /// Gives a place to a pod that runs already, whether there is one or not.
  func occupy(uid: String, _ key: ObjectKey) { state.withLock { $0.taken[uid] = key } }

  /// Lets a pod wait for its turn.
  func queue(uid: String, _ turn: Turn) {
    state.withLock { if $0.taken[uid] == nil { $0.waiting[uid] = turn } }
  }

  /// Takes a place if there is one and nobody older waits; the pods that have the places otherwise.
  func take(uid: String, _ turn: Turn) -> [ObjectKey]? {
    state.withLock { state in
      if state.taken[uid] != nil { return nil }
      state.waiting[uid] = turn
      let older = state.waiting.values.count { $0 < turn }
      guard state.taken.count + older < limit else { return state.taken.values.sorted() }
      state.waiting[uid] = nil
      state.taken[uid] = turn.key
      return nil
    }
  }

  /// Gives back the place of whatever pod of this name had one.
  func forget(_ key: ObjectKey) -> [ObjectKey] {
    let uids = state.withLock { state in
      state.taken.filter { $0.value == key }.map(\.key) + state.waiting.filter { $0.value.key == key }.map(\.key)
    }
    return uids.flatMap(leave(uid:))
  }

  /// Gives the place back, or stops waiting.
  /// - Returns: Whose turn it may be now.
  func leave(uid: String) -> [ObjectKey] {
    state.withLock { state in
      let hadPlace = state.taken.removeValue(forKey: uid) != nil
      let waited = state.waiting.removeValue(forKey: uid) != nil
      guard hadPlace || waited else { return [] }
      let free = max(0, limit - state.taken.count)
      return state.waiting.values.sorted().prefix(free).map(\.key)
    }
  }
}

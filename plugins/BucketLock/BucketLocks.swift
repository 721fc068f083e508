// Taking the locks of a run and giving them back.
//
// - A lock is created and deleted. What is deleted is the very state that was read (UID and resource version), and only if
//   its record names the run by UID.
// - A run that meets its own lock takes it once more by changing it: a request to delete it whose answer never came may
//   still be on its way, and finds another state then.
// - A request whose answer was lost may have created a lock. The next `lock` meets it as its own; and its name is
//   remembered, so that `unlock` asks for it even if the watch has not shown it yet. Should the controller die as
//   well, the next one finds the lock in its first list.

import BucketSyncCore
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import Synchronization

/// The lock provider.
final class BucketLocks: LockProvider {
  private let requests: LockRequests
  private let store: ObjectStore<ConfigMap>
  private let time: any TimeSource
  /// By the run's UID: names of locks that a lost answer may have created.
  private let uncertain = Mutex<[String: Set<String>]>([:])

  init(_ environment: PluginEnvironment, store: ObjectStore<ConfigMap>) {
    requests = LockRequests(client: environment.client, namespace: environment.namespace)
    self.store = store
    time = environment.time
  }

  func lock(_ run: RunContext) async throws -> LockResult {
    let heldBefore = Set(locks(heldBy: run.reference.uid))
    let result: LockResult
    do {
      result = try await takeAll(run)
    } catch {
      let cause = (error as? LockFailure)?.cause ?? error as? APIError
      let isPassing = cause?.isPassing ?? false
      // All or none. If this fails too, the next call or `unlock` finds what is left; the first error tells more.
      // What the run has held before is kept while trouble lasts that passes: its Job may be about to be created.
      try? await giveBack(run.reference, but: isPassing ? heldBefore : [])
      // Such trouble is the queue's business and no reason to tell people.
      if let cause, isPassing { throw cause }
      throw error
    }
    if result != .acquired { try await giveBack(run.reference) }
    return result
  }

  func unlock(_ run: RunReference) async throws {
    try await giveBack(run)
    uncertain.withLock { $0[run.uid] = nil }
  }

  func heldLock(_ name: String) -> HeldLock? {
    store[requests.key(name)].flatMap { HeldLock($0) }
  }

  func locks(heldBy uid: String) -> [String] { store.objects(.holder, uid).map(\.metadata.name) }

  func remove(orphan lock: HeldLock) async throws {
    guard let configMap = LockToken(lock.token) else { return }
    // What has changed since, or is gone, is no orphan any more.
    _ = try await requests.delete(lock.name, uid: configMap.uid, version: configMap.version)
  }
}

extension BucketLocks {
  /// Takes lock after lock until one is not to be had.
  private func takeAll(_ run: RunContext) async throws -> LockResult {
    // What is known to be taken is not worth taking and giving back the others for.
    for bucket in run.buckets {
      if let obstacle = knownObstacle(bucket, to: run) { return obstacle }
    }
    for bucket in run.buckets {
      let result = try await take(bucket, for: run)
      if result != .acquired { return result }
    }
    return .acquired
  }

  /// Takes one lock, or finds out who has it.
  private func take(_ bucket: String, for run: RunContext) async throws -> LockResult {
    let record = LockRecord(bucket: bucket, run: run, at: Timestamp(time.now))
    let name = LockName.of(bucket: bucket)
    if let known = store[requests.key(name)], known.isLock(of: run.reference),
      let renewed = try await requests.renew(known, at: time.now)
    {
      store.record(renewed)
      return .acquired
    }
    // A lock that is there when creating and gone when reading has just been released: once more, but not for ever.
    for _ in 0..<3 {
      switch try await create(record, run: run.reference) {
      case .created(let configMap):
        store.record(configMap)
        return .acquired
      case .exists:
        guard let found = try await requests.read(name) else { continue }
        if (try? LockRecord(found)) != nil { store.record(found) }
        if let obstacle = obstacle(found, bucket: bucket, to: run) { return obstacle }
        guard let renewed = try await requests.renew(found, at: time.now) else { continue }
        store.record(renewed)
        return .acquired
      }
    }
    return .busy(holder: "bucket \"\(bucket)\" is changing hands", lookAgainAfter: .seconds(1))
  }

  /// What the cache says.
  private func knownObstacle(_ bucket: String, to run: RunContext) -> LockResult? {
    store[requests.key(LockName.of(bucket: bucket))].flatMap { obstacle($0, bucket: bucket, to: run) }
  }

  private func create(_ record: LockRecord, run: RunReference) async throws -> LockRequests.Creation {
    do {
      return try await requests.create(record)
    } catch {
      if error.mayHaveApplied { remember(LockName.of(bucket: record.bucket), run) }
      throw error
    }
  }

  private func remember(_ name: String, _ run: RunReference) {
    _ = uncertain.withLock { $0[run.uid, default: []].insert(name) }
  }

  /// What keeps `run` from having the lock that `configMap` is; `nil` when the run has it.
  private func obstacle(_ configMap: ConfigMap, bucket: String, to run: RunContext) -> LockResult? {
    do {
      let holder = try LockRecord(configMap).holder
      if holder.uid == run.reference.uid { return nil }
      let isNamesake = holder.namespace == run.reference.namespace && holder.name == run.reference.name
      let kind = isNamesake ? "an earlier BucketSync" : "BucketSync"
      return .busy(holder: "bucket \"\(bucket)\" is locked by \(kind) \(holder)")
    } catch {
      return .busy(
        holder: """
          bucket "\(bucket)" cannot be locked: ConfigMap \(configMap.key) is in the way, which is no lock of ours \
          (\(error)); after checking that nothing uses the bucket, remove it with: \
          kubectl delete configmap --namespace \(configMap.metadata.namespace ?? "") \(configMap.metadata.name)
          """,
        // The watch does not show what lacks our label.
        lookAgainAfter: .seconds(30)
      )
    }
  }

  /// Deletes all locks of `run` except those called `kept`, at the same time.
  private func giveBack(_ run: RunReference, but kept: Set<String> = []) async throws {
    let unseen = try await locateUncertain(run)
    let seen = store.objects(.holder, run.uid).filter { cached in !unseen.contains { $0.key == cached.key } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for configMap in unseen + seen where !kept.contains(configMap.metadata.name) {
        group.addTask { try await self.release(configMap, heldBy: run) }
      }
      try await group.waitForAll()
    }
  }

  /// The locks of `run` among those that a lost answer may have created.
  private func locateUncertain(_ run: RunReference) async throws -> [ConfigMap] {
    var found: [ConfigMap] = []
    for name in uncertain.withLock({ $0[run.uid] ?? [] }).sorted() {
      if let configMap = try await requests.read(name), configMap.isLock(of: run) { found.append(configMap) }
    }
    return found
  }

  /// Deletes a lock, in whatever version, as long as it is the run's.
  private func release(_ configMap: ConfigMap, heldBy run: RunReference) async throws {
    var configMap = configMap
    for _ in 0..<5 {
      if try await requests.delete(configMap) == .gone { return }
      guard let current = try await requests.read(configMap.metadata.name), current.isLock(of: run) else { return }
      configMap = current
    }
    throw LockFailure("delete", configMap.key, .malformed("it changes all the time"))
  }
}

extension ConfigMap {
  fileprivate func isLock(of run: RunReference) -> Bool { (try? LockRecord(self))?.holder.uid == run.uid }
}

/// The state of a lock in a ``HeldLock``'s token.
private struct LockToken {
  var uid: String
  var version: String

  init(of configMap: ConfigMap) {
    uid = configMap.metadata.uid ?? ""
    version = configMap.metadata.resourceVersion ?? ""
  }

  init?(_ text: String) {
    let parts = text.split(separator: " ").map(String.init)
    guard parts.count == 2 else { return nil }
    (uid, version) = (parts[0], parts[1])
  }

  var text: String { "\(uid) \(version)" }
}

extension HeldLock {
  fileprivate init?(_ configMap: ConfigMap) {
    guard let record = try? LockRecord(configMap) else { return nil }
    self.init(
      name: configMap.metadata.name,
      bucket: record.bucket,
      holder: record.holder,
      token: LockToken(of: configMap).text
    )
  }
}

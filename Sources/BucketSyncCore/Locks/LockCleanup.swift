// LockCleanup: removes locks whose run is gone (design.md section 6).
//
// A lock is alive while its holder is: the run exists with that UID and has not finished, or its Job or a pod of it
// still exists. How old a lock is says nothing. A lock that is not alive is watched for `--lock-timeout`; if it is
// orphaned all that time, by this controller's own clock, the API server is asked once more and the lock is removed,
// provided it has not changed since. Controllers that share buckets share the namespace of the locks; each removes those
// of the namespaces it looks after.

import BucketSyncAPI
import KubernetesClient
package import KubernetesModel
internal import Logging
package import OperatorRuntime
import Synchronization

/// Removes orphaned locks. Its keys are the names of locks.
package final class LockCleanup: Sendable {
  private let services: CoreServices
  /// Since when each lock has been seen orphaned, on the monotonic clock.
  private let orphanedSince = Mutex<[String: Duration]>([:])

  /// A reconciler of locks.
  package init(_ services: CoreServices) { self.services = services }

  /// The locks that may have become orphans by a change of their holder.
  package func locks(heldBy uid: String?) -> [ObjectKey] {
    (uid.map { services.lock.locks(heldBy: $0) } ?? []).map { ObjectKey(namespace: nil, name: $0) }
  }

  /// Checks the lock called `key.name`.
  package func reconcile(_ key: ObjectKey) async throws -> Reconciliation {
    guard let lock = services.lock.heldLock(key.name), services.settings.covers(lock.holder.namespace), !isAlive(lock)
    else {
      orphanedSince.withLock { _ = $0.removeValue(forKey: key.name) }
      return .done
    }
    let now = services.time.uptime
    let since = orphanedSince.withLock { orphans in
      let since = orphans[key.name] ?? now
      orphans[key.name] = since
      return since
    }
    let left = services.settings.lockTimeout - (now - since)
    if left > .zero { return .again(after: left) }
    guard try await isGone(lock.holder) else { return .again(after: services.settings.lockTimeout) }
    try await services.lock.remove(orphan: lock)
    services.metrics.orphansRemoved.increment()
    services.logger.notice(
      "removed an orphaned lock",
      metadata: ["lock": "\(lock.name)", "bucket": "\(lock.bucket)", "run": "\(lock.holder)"])
    // One that has changed meanwhile, or is said to have, is still there and is looked at again.
    return .again(after: Self.secondLook)
  }

  private static let secondLook = Duration.seconds(5)

  /// What the caches say.
  private func isAlive(_ lock: HeldLock) -> Bool {
    if let run = services.caches.run(uid: lock.holder.uid), !run.isFinished { return true }
    return !services.caches.jobs.objects(.owner, lock.holder.uid).isEmpty
      || !services.caches.pods(of: lock.holder).isEmpty
  }

  /// What the API server says.
  private func isGone(_ holder: RunReference) async throws -> Bool {
    let key = ObjectKey(namespace: holder.namespace, name: holder.name)
    if let run = try await services.client.find(BucketSync.self, key), run.metadata.uid == holder.uid, !run.isFinished {
      return false
    }
    let selector = "\(BucketSyncNames.Label.runUID)=\(holder.uid)"
    let jobs = try await services.client.list(Job.self, namespace: holder.namespace, labels: selector)
    guard jobs.items.isEmpty else { return false }
    return try await services.client.list(Pod.self, namespace: holder.namespace, labels: selector).items.isEmpty
  }
}

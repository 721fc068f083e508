// A lock provider that keeps its locks in Leases instead of ConfigMaps.
//
// It is used in place of the built-in BucketLock, by the very protocol that one uses. What makes it safe is said in
// `LockProvider`: all of a run's buckets or none, a lock that the run holds already counts, and what is deleted is the
// very object that was read.

import BucketSyncCore
import Foundation
import KubernetesClient
import KubernetesModel
import OperatorRuntime

/// Locks buckets with `coordination.k8s.io/v1` Leases in the operator's namespace.
struct LeaseLock: Plugin {
  let name = "LeaseLock"

  func register(with setup: inout PluginSetup) throws {
    let environment = setup.environment
    let leases = setup.cache(
      of: Lease.self, namespace: environment.namespace, labels: "\(LeaseRecord.label)=true", indexes: [.holder])
    let signals = environment.signals
    leases.onChange { change in
      let record = LeaseRecord(change.object)
      switch change {
      case .added, .updated: signals.lockChanged(change.object.metadata.name)
      case .deleted:
        signals.lockReleased(change.object.metadata.name, bucket: record?.bucket ?? "", by: record?.holder.uid)
      }
    }
    try setup.lock(LeaseLocks(environment: environment, leases: leases))
  }
}

/// Takes Leases and gives them back.
struct LeaseLocks: LockProvider {
  let environment: PluginEnvironment
  let leases: ObjectStore<Lease>

  func lock(_ run: RunContext) async throws -> LockResult {
    do {
      for bucket in run.buckets {
        if let holder = try await take(bucket, for: run.reference), holder.uid != run.reference.uid {
          try await unlock(run.reference)
          return .busy(holder: "bucket \"\(bucket)\" is locked by BucketSync \(holder)")
        }
      }
      return .acquired
    } catch {
      try? await unlock(run.reference)
      throw error
    }
  }

  func unlock(_ run: RunReference) async throws {
    for lease in leases.objects(.holder, run.uid) { try await delete(lease) }
  }

  func heldLock(_ name: String) -> HeldLock? {
    guard let lease = leases[key(name)], let record = LeaseRecord(lease) else { return nil }
    let token = "\(lease.metadata.uid ?? "")/\(lease.metadata.resourceVersion ?? "")"
    return HeldLock(name: name, bucket: record.bucket, holder: record.holder, token: token)
  }

  func locks(heldBy uid: String) -> [String] { leases.objects(.holder, uid).map(\.metadata.name) }

  func remove(orphan lock: HeldLock) async throws {
    guard let lease = leases[key(lock.name)], heldLock(lock.name) == lock else { return }
    try await delete(lease)
  }

  /// Creates the Lease of a bucket, or tells who has it.
  private func take(_ bucket: String, for run: RunReference) async throws -> RunReference? {
    let lease = LeaseRecord(bucket: bucket, holder: run).lease(in: environment.namespace, at: environment.time.now)
    if let found = leases[lease.key].flatMap(LeaseRecord.init) { return found.holder }
    do {
      leases.record(try await environment.client.create(lease))
      return nil
    } catch {
      guard error.isAlreadyExists else { throw error }
    }
    let found = try await environment.client.get(Lease.self, lease.key)
    guard let record = LeaseRecord(found) else { throw ForeignLease(key: lease.key) }
    leases.record(found)
    return record.holder
  }

  /// Deletes exactly this state of a Lease; one that is gone or has changed is left to whoever changed it.
  private func delete(_ lease: Lease) async throws {
    let options = DeleteOptions(uid: lease.metadata.uid, resourceVersion: lease.metadata.resourceVersion)
    do {
      try await environment.client.delete(Lease.self, lease.key, options)
    } catch {
      guard error.isNotFound || error.isConflict else { throw error }
    }
  }

  private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: environment.namespace, name: name) }
}

/// A Lease stands where a lock should be, but is none of ours.
struct ForeignLease: Error, CustomStringConvertible {
  let key: ObjectKey
  var description: String { "Lease \(key) is no bucket lock; it was left alone. Delete it if nobody needs it" }
}

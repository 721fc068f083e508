// Objects as the controller would have written them: what it finds after a crash at an exact point.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel

@testable import BucketLock

extension World {
  /// Locks the bucket in the name of a run.
  @discardableResult
  func craftLock(_ bucket: Bucket, holder: String, uid: String) async throws -> ConfigMap {
    try await create(
      ConfigMap(
        metadata: ObjectMeta(
          name: LockName.of(bucket: bucket.name),
          namespace: namespace,
          labels: [
            BucketSyncNames.Label.managedBy: BucketSyncNames.controller, "\(BucketSyncNames.group)/lock": "true",
          ]
        ),
        data: [
          "bucket": bucket.name, "side": "source", "holderNamespace": namespace, "holderName": holder,
          "holderUID": uid, "acquiredAt": "2024-01-15T02:00:00Z",
        ]
      )
    )
  }

  /// Locks the bucket in the name of a run that exists.
  func craftLock(_ bucket: Bucket, holder: BucketSync) async throws {
    try await craftLock(bucket, holder: holder.metadata.name, uid: holder.metadata.uid ?? "")
  }

  /// The name of the bucket's lock.
  func lockName(_ bucket: Bucket) -> String { LockName.of(bucket: bucket.name) }

  /// Writes the run's status, as the controller that died would have.
  @discardableResult
  func craftStatus(_ run: BucketSync, _ change: (inout BucketSync.Status) -> Void) async throws -> BucketSync {
    var status = run.status ?? BucketSync.Status()
    status.startTime = run.metadata.creationTimestamp
    status.observedGeneration = run.metadata.generation
    change(&status)
    let patch: JSONValue = ["status": try JSONValue(encoding: status)]
    return try await client.patch(BucketSync.self, run.key, .merge(patch), subresource: .status)
  }
}

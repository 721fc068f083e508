// What is written into the Lease of a bucket.

import BucketSyncAPI
import BucketSyncCore
import Foundation
import KubernetesModel
import OperatorRuntime

/// Which run has which bucket.
struct LeaseRecord {
  static let label = "example.com/bucket-lock"
  private static let bucketAnnotation = "example.com/bucket"

  let bucket: String
  let holder: RunReference

  init(bucket: String, holder: RunReference) {
    self.bucket = bucket
    self.holder = holder
  }

  /// Reads a Lease; `nil` if it is no lock of ours.
  init?(_ lease: Lease) {
    let parts = (lease.spec?.holderIdentity ?? "").split(separator: "/").map(String.init)
    guard parts.count == 3, lease.metadata.labels?[Self.label] == "true",
      let bucket = lease.metadata.annotations?[Self.bucketAnnotation]
    else { return nil }
    self.init(bucket: bucket, holder: RunReference(namespace: parts[0], name: parts[1], uid: parts[2]))
  }

  /// The Lease to be created. Its name is the same for the same bucket, whatever characters that has.
  func lease(in namespace: String, at time: Date) -> Lease {
    Lease(
      metadata: ObjectMeta(
        name: "bucket-\(StableHash.text(bucket))", namespace: namespace, labels: [Self.label: "true"],
        annotations: [Self.bucketAnnotation: bucket]),
      spec: Lease.Spec(
        holderIdentity: "\(holder.namespace)/\(holder.name)/\(holder.uid)", leaseDurationSeconds: nil,
        acquireTime: MicroTimestamp(time), renewTime: nil, leaseTransitions: nil))
  }
}

extension ObjectIndex where Object == Lease {
  /// By the UID of the run that holds the lock.
  static var holder: Self { Self("holder") { LeaseRecord($0).map { [$0.holder.uid] } ?? [] } }
}

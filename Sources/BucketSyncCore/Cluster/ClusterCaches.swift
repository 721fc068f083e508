// ClusterCaches: what the controller knows of the cluster, kept current by watches.
//
// Jobs and pods are watched by label, so that no object of others is ever held in memory. Lookups go through indexes:
// what a reconcile costs does not depend on how many objects exist.

package import BucketSyncAPI
package import KubernetesModel
package import OperatorRuntime

/// The caches that the reconcilers read.
package struct ClusterCaches: Sendable {
  package let policies: ObjectStore<BucketSyncPolicy>
  package let runs: ObjectStore<BucketSync>
  package let jobs: ObjectStore<Job>
  package let pods: ObjectStore<Pod>

  /// Empty caches.
  package init() {
    policies = ObjectStore(indexes: [])
    runs = ObjectStore(indexes: [.owner, .uid, .bucket])
    jobs = ObjectStore(indexes: [.owner])
    pods = ObjectStore(indexes: [.runUID])
  }

  /// The run with this UID.
  package func run(uid: String) -> BucketSync? { runs.objects(.uid, uid).first }

  /// The runs that the policy controls.
  func runs(of policy: BucketSyncPolicy) -> [BucketSync] {
    policy.metadata.uid.map { runs.objects(.owner, $0) } ?? []
  }

  /// The pods of the run's Job.
  func pods(of run: RunReference) -> [Pod] { pods.objects(.runUID, run.uid) }

  /// Label selectors of what is watched.
  package static let jobSelector = "\(BucketSyncNames.Label.managedBy)=\(BucketSyncNames.controller)"
  package static let podSelector = BucketSyncNames.Label.runUID
}

extension ObjectIndex where Object == BucketSync {
  /// By the UID of the controlling policy.
  static var owner: Self { Self("owner") { [$0.metadata.controllerOwner?.uid].compactMap(\.self) } }

  /// By the run's own UID.
  static var uid: Self { Self("uid") { [$0.metadata.uid].compactMap(\.self) } }

  /// Unfinished runs by the buckets they want or hold.
  static var bucket: Self { Self("bucket") { $0.isFinished ? [] : $0.buckets } }
}

extension ObjectIndex where Object == Job {
  /// By the UID of the controlling run.
  static var owner: Self { Self("owner") { [$0.metadata.controllerOwner?.uid].compactMap(\.self) } }
}

extension ObjectIndex where Object == Pod {
  /// By the UID of the run that the pod works for.
  static var runUID: Self { Self("run-uid") { $0.runUIDs } }
}

extension BucketSync {
  /// The run's buckets, each once; none when its paths are not understood.
  var buckets: [String] {
    guard let source = try? BucketPath(spec.source, field: .source),
      let destination = try? BucketPath(spec.destination, field: .destination)
    else { return [] }
    return source.bucket == destination.bucket ? [source.bucket] : [source.bucket, destination.bucket]
  }
}

extension Pod {
  /// The UID of the run that the pod works for; at most one.
  var runUIDs: [String] { [metadata.labels?[BucketSyncNames.Label.runUID]].compactMap(\.self) }

  /// Whether it is proven that no container of the pod runs or ever will.
  ///
  /// `Failed` alone is no proof: a kubelet that evicts a pod says so before its containers are stopped.
  var hasStopped: Bool {
    switch status?.phase {
    case "Succeeded": return true
    case "Failed":
      let containers = (status?.initContainerStatuses ?? []) + (status?.containerStatuses ?? [])
      return !containers.isEmpty && containers.allSatisfy { $0.state?.running == nil && $0.state?.terminated != nil }
    default: return false
    }
  }
}

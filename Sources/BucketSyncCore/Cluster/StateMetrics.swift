// Metrics of what exists, read from the caches at each scrape: what alerts are made of.
//
//     bucket_sync_policy_last_success_timestamp_seconds{namespace="backup",policy="nightly"} 1.7052840e+09
//     bucket_sync_runs{phase="Initialize"} 2
//
// A policy that was deleted has no series any more. A time that a policy does not know has none either, so that an
// alert on its age cannot mistake "never" for 1970.

import BucketSyncAPI
import FoundationEssentials
package import KubernetesModel
package import OperatorRuntime

package struct StateMetrics: Sendable {
  private let caches: ClusterCaches
  private let time: any TimeSource

  /// Metrics of what `caches` hold.
  package init(_ caches: ClusterCaches, time: any TimeSource) {
    self.caches = caches
    self.time = time
  }

  /// Registers the metrics.
  package func register(in registry: MetricsRegistry) {
    registry.computed(.gauge, "bucket_sync_policies", "Policies that exist.") { Double(caches.policies.count) }
    registry.collected(.gauge, "bucket_sync_runs", "Runs that exist, by phase.") {
      let runs = Dictionary(grouping: caches.runs.all) { $0.status?.phase ?? .initialize }
      return Self.phases.map { (["phase": $0.rawValue], Double(runs[$0]?.count ?? 0)) }
    }
    registry.computed(
      .gauge, "bucket_sync_longest_lock_wait_seconds", "How long the run has waited that waits longest for its locks."
    ) {
      let now = time.now
      return caches.runs.all.filter(\.isWaiting).compactMap { $0.status?.startTime?.elapsed(until: now).seconds }.max()
        ?? 0
    }
    register(
      "bucket_sync_policy_ready", "Whether the policy is in order (1) or has to be looked after (0).", in: registry
    ) {
      $0.status?.conditions?[BucketSyncPolicy.ConditionType.ready].map { $0.status == .yes ? 1 : 0 }
    }
    register("bucket_sync_policy_suspended", "Whether spec.suspend is true.", in: registry) {
      $0.spec.suspend == true ? 1 : 0
    }
    register("bucket_sync_policy_created_timestamp_seconds", "When the policy was created.", in: registry) {
      $0.metadata.creationTimestamp?.seconds
    }
    register("bucket_sync_policy_next_sync_timestamp_seconds", "When the next run is due.", in: registry) {
      $0.status?.nextSyncTime?.seconds
    }
    register("bucket_sync_policy_last_sync_timestamp_seconds", "When the latest run started.", in: registry) {
      $0.status?.lastSyncTime?.seconds
    }
    register(
      "bucket_sync_policy_last_success_timestamp_seconds", "When the latest run that succeeded ended.", in: registry
    ) {
      $0.status?.lastSuccessfulTime?.seconds
    }
    register(
      "bucket_sync_policy_last_run_failed", "Whether the policy's latest finished run failed (1) or not (0).",
      in: registry
    ) { policy in
      let finished = caches.runs(of: policy).filter(\.isFinished)
      let latest = finished.max { ($0.status?.finishTime?.seconds ?? 0) < ($1.status?.finishTime?.seconds ?? 0) }
      return latest.map { $0.status?.result == .failed ? 1 : 0 }
    }
  }

  private static let phases: [BucketSync.Phase] = [.initialize, .sync, .finalize, .finished]

  /// Registers a number that policies have; those without it have no series.
  private func register(
    _ name: String, _ help: String, in registry: MetricsRegistry,
    _ value: @escaping @Sendable (BucketSyncPolicy) -> Double?
  ) {
    registry.collected(.gauge, name, help) {
      caches.policies.all.compactMap { policy in
        let labels = ["namespace": policy.metadata.namespace ?? "", "policy": policy.metadata.name]
        return value(policy).map { (labels, $0) }
      }
    }
  }
}

extension Timestamp {
  fileprivate var seconds: Double { Double(unixSeconds) }
}

extension Duration {
  fileprivate var seconds: Double { self / .seconds(1) }
}

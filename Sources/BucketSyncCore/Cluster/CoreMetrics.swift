// The metrics of bucket-sync itself; those of the queue, the reconciles and the client are the runtime's.

import BucketSyncAPI
package import OperatorRuntime

/// Counts runs, waits and locks.
package struct CoreMetrics: Sendable {
  private let finished: [String: Counter]
  private let runDuration: Histogram
  private let lockWait: Histogram
  private let hookFailures: @Sendable (String, String) -> Counter
  let orphansRemoved: Counter

  /// Registers the metrics.
  package init(_ registry: MetricsRegistry) {
    let results: [BucketSync.Result] = [.succeeded, .failed, .skipped, .cancelled]
    finished = Dictionary(
      uniqueKeysWithValues: results.map {
        (
          $0.rawValue,
          registry.counter("bucket_sync_runs_total", "Runs that ended, by result.", labels: ["result": $0.rawValue])
        )
      })
    runDuration = registry.histogram(
      "bucket_sync_run_duration_seconds", "From start to finish of runs.", bounds: Self.longBounds)
    lockWait = registry.histogram(
      "bucket_sync_lock_wait_seconds", "How long runs waited for their locks.", bounds: Self.longBounds)
    orphansRemoved = registry.counter("bucket_sync_orphaned_locks_removed_total", "Locks removed whose run was gone.")
    hookFailures = { plugin, point in
      registry.counter(
        "bucket_sync_plugin_failures_total", "Failures of plugins.", labels: ["plugin": plugin, "point": point])
    }
  }

  func runFinished(_ result: BucketSync.Result, took duration: Duration) {
    finished[result.rawValue]?.increment()
    runDuration.observe(duration)
  }

  func locksAcquired(after wait: Duration) { lockWait.observe(wait) }

  func pluginFailed(_ plugin: String, point: String) { hookFailures(plugin, point).increment() }

  /// From a second to a day.
  private static let longBounds: [Double] = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10800, 43200, 86400]
}

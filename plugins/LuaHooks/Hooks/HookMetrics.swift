// What hooks report to Prometheus.

internal import LuaSandbox
internal import OperatorRuntime

/// Counts calls and failures of scripts.
struct HookMetrics: Sendable {
  private let failures: [String: [LuaFailure.Reason: Counter]]
  private let durations: [HookPoint: Histogram]
  private let scripts: Gauge
  private let stale: Gauge

  /// Registers the metrics, all series at once: a counter that appears with its first failure is one that alerts miss.
  init(_ registry: MetricsRegistry) {
    var failures: [String: [LuaFailure.Reason: Counter]] = [:]
    for point in HookPoint.allCases.map(\.name) + ["load"] {
      for reason in LuaFailure.Reason.allCases where point != "load" || reason == .load {
        failures[point, default: [:]][reason] = registry.counter(
          "bucket_sync_hook_failures_total", "Failures of scripts, by reason; load: changed scripts were not used.",
          labels: ["point": point, "reason": reason.rawValue])
      }
    }
    self.failures = failures
    durations = Dictionary(
      uniqueKeysWithValues: HookPoint.allCases.map { point in
        (
          point,
          registry.histogram(
            "bucket_sync_hook_duration_seconds", "How long calls of scripts took.", labels: ["point": point.name])
        )
      })
    scripts = registry.gauge("bucket_sync_hook_scripts", "Scripts in use.")
    stale = registry.gauge(
      "bucket_sync_hook_reload_failed", "1 while the scripts' folder holds something that cannot be used.")
  }

  func failed(_ point: String, reason: LuaFailure.Reason) { failures[point]?[reason]?.increment() }
  func called(_ point: HookPoint, took duration: Duration) { durations[point]?.observe(duration) }
  func loaded(_ count: Int) { scripts.set(Double(count)) }
  func reloadFailed(_ failed: Bool) { stale.set(failed ? 1 : 0) }
}

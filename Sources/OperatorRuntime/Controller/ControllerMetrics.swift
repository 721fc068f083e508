// Metrics of a controller, under controller-runtime's names, so that dashboards for Go operators fit.

/// The series of one controller.
struct ControllerMetrics: Sendable {
  /// What a reconcile ended in, as the `result` label tells it.
  enum Result: String, CaseIterable {
    case success
    case error
    case requeue
    case requeueAfter = "requeue_after"
    /// The process is ending: neither success nor failure, and not counted.
    case cancelled
  }

  let activeWorkers: Gauge
  private let errors: Counter
  private let time: Histogram
  private let totals: [Result: Counter]

  init(controller: String, concurrency: Int, registry: MetricsRegistry) {
    let labels = ["controller": controller]
    activeWorkers = registry.gauge(
      "controller_runtime_active_workers",
      "Workers that have a key.",
      labels: labels
    )
    errors = registry.counter("controller_runtime_reconcile_errors_total", "Reconciles that failed.", labels: labels)
    time = registry.histogram(
      "controller_runtime_reconcile_time_seconds",
      "How long reconciles take.",
      labels: labels
    )
    totals = Dictionary(
      uniqueKeysWithValues: Result.allCases.filter { $0 != .cancelled }.map { result in
        let labels = ["controller": controller, "result": result.rawValue]
        return (
          result,
          registry.counter("controller_runtime_reconcile_total", "Reconciles by what they ended in.", labels: labels)
        )
      }
    )
    registry.gauge(
      "controller_runtime_max_concurrent_reconciles",
      "Workers in all.",
      labels: labels
    ).set(Double(concurrency))
  }

  func count(_ result: Result, took duration: Duration) {
    guard let total = totals[result] else { return }
    total.increment()
    time.observe(duration)
    if result == .error { errors.increment() }
  }
}

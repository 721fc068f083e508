// Metrics of a work queue, under client-go's names, so that dashboards for Go operators fit.

import Synchronization

/// The series of one queue.
struct WorkQueueMetrics: Sendable {
  let depth: Gauge
  let adds: Counter
  let retries: Counter
  let queueDuration: Histogram
  let workDuration: Histogram

  init(queue: String, registry: MetricsRegistry) {
    let labels = Self.labels(queue)
    depth = registry.gauge("workqueue_depth", "Keys waiting for a worker.", labels: labels)
    adds = registry.counter("workqueue_adds_total", "Keys added that did not wait already.", labels: labels)
    retries = registry.counter("workqueue_retries_total", "Keys added again after a failure.", labels: labels)
    queueDuration = registry.histogram(
      "workqueue_queue_duration_seconds",
      "How long keys wait for a worker.",
      labels: labels
    )
    workDuration = registry.histogram(
      "workqueue_work_duration_seconds",
      "How long workers take for a key.",
      labels: labels
    )
  }

  /// Series computed from how long the keys in work have been so.
  func observeWorkers(in registry: MetricsRegistry, queue: String, times: @escaping @Sendable () -> [Duration]) {
    registry.computed(
      .gauge,
      "workqueue_unfinished_work_seconds",
      "Time spent so far on all keys in work.",
      labels: Self.labels(queue)
    ) { times().reduce(.zero, +) / .seconds(1) }
    registry.computed(
      .gauge,
      "workqueue_longest_running_processor_seconds",
      "Time spent so far on the key longest in work.",
      labels: Self.labels(queue)
    ) { (times().max() ?? .zero) / .seconds(1) }
  }

  private static func labels(_ queue: String) -> [String: String] { ["name": queue, "controller": queue] }
}

// The controller: workers that take keys from a queue and reconcile them.
//
// A reconcile that throws is tried again with growing delays. A conflict is no failure worth a line in the log: the
// object changed meanwhile, so the reconcile runs again on the newer state.

import KubernetesClient
package import KubernetesModel
package import Logging

/// Runs one reconcile function over the keys of one queue.
package struct Controller: Sendable {
  package let name: String
  package let queue: WorkQueue<ObjectKey>
  private let concurrency: Int
  private let logger: Logger
  private let metrics: ControllerMetrics
  private let failures = FailureLog()
  private let reconcile: @Sendable (ObjectKey) async throws -> Reconciliation

  /// A controller with `concurrency` workers.
  package init(
    name: String,
    queue: WorkQueue<ObjectKey>,
    concurrency: Int,
    logger: Logger,
    metrics: MetricsRegistry,
    reconcile: @escaping @Sendable (ObjectKey) async throws -> Reconciliation
  ) {
    self.name = name
    self.queue = queue
    self.concurrency = max(1, concurrency)
    var logger = logger
    logger[metadataKey: "controller"] = "\(name)"
    self.logger = logger
    self.metrics = ControllerMetrics(controller: name, concurrency: self.concurrency, registry: metrics)
    self.reconcile = reconcile
  }

  /// Works until the queue is shut down, and lets what is in work then finish; a cancelled task ends at once.
  package func run() async {
    await withTaskGroup { group in
      group.addTask { await queue.runTimer() }
      for _ in 0..<concurrency { group.addTask { await work() } }
    }
  }

  private func work() async {
    while let key = await queue.next() {
      metrics.activeWorkers.add(1)
      let start = queue.time.uptime
      let result = await process(key)
      metrics.count(result, took: queue.time.uptime - start)
      metrics.activeWorkers.add(-1)
      queue.done(key)
    }
  }

  private func process(_ key: ObjectKey) async -> ControllerMetrics.Result {
    do {
      let reconciliation = try await reconcile(key)
      failures.clear(key)
      queue.forget(key)
      guard case .again(let delay) = reconciliation else { return .success }
      queue.add(key, after: delay)
      return delay > .zero ? .requeueAfter : .requeue
    } catch {
      return retry(key, after: error)
    }
  }

  private func retry(_ key: ObjectKey, after error: any Error) -> ControllerMetrics.Result {
    if Task.isCancelled { return .cancelled }
    let apiError = error as? APIError
    if apiError?.isConflict == true {
      logger.debug("object changed meanwhile, trying again", metadata: ["key": "\(key)", "error": "\(error)"])
      queue.addRateLimited(key)
      return .requeue
    }
    let level: Logger.Level = failures.isNew("\(error)", for: key) ? .warning : .debug
    logger.log(level: level, "reconcile failed, trying again", metadata: ["key": "\(key)", "error": "\(error)"])
    queue.addRateLimited(key, atLeast: apiError?.retryAfter ?? .zero)
    return .error
  }
}

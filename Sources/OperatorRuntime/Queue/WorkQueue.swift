// The work queue: which keys are to be reconciled, in which order, and by one worker at a time.
//
// A key is in at most one place: waiting, or being worked on. A key that is added while a worker has it is remembered
// (dirty) and comes up again when the worker is done with it, so no change is missed and no two workers ever have
// the same key. Keys come up in the order in which they were added.
//
// Delays need somebody to watch the clock: `runTimer` does, beside the workers (Controller starts both).

package import KubernetesModel
import Synchronization

/// Keys waiting for a worker.
package final class WorkQueue<Key: Hashable & Sendable>: Sendable {
  private struct State {
    var ready = FIFO<Key>()
    /// Keys to be worked on that no worker has taken yet.
    var dirty: [Key: Duration] = [:]
    /// Keys that workers have, and since when.
    var processing: [Key: Duration] = [:]
    var delayed: [Key: Duration] = [:]
    var failures: [Key: Int] = [:]
    var waiters = FIFO<Waiter>()
    var nextWaiter = 0
    var isShutDown = false
  }

  private struct Waiter {
    var number: Int
    var continuation: CheckedContinuation<Key?, Never>
  }

  /// A key that goes to a worker that waits already.
  private struct Handover {
    var waiter: Waiter
    var key: Key
  }

  package let name: String
  package let time: any TimeSource
  private let backoff: Backoff
  private let metrics: WorkQueueMetrics
  private let state = Mutex(State())
  /// Raised when the timer has to look again: an earlier deadline, or the end.
  private let timerWake = Signal()

  /// An empty queue; `backoff` is what ``addRateLimited(_:atLeast:)`` goes by.
  package init(
    name: String,
    time: any TimeSource,
    metrics: MetricsRegistry,
    backoff: Backoff = Backoff(initial: .milliseconds(5), limit: .seconds(300))
  ) {
    self.name = name
    self.time = time
    self.backoff = backoff
    self.metrics = WorkQueueMetrics(queue: name, registry: metrics)
    self.metrics.observeWorkers(in: metrics, queue: name) { [weak self] in self?.workingTimes ?? [] }
  }

  /// Adds a key, unless it waits already.
  package func add(_ key: Key) {
    let handover = state.withLock { add(key, to: &$0) }
    deliver(handover)
  }

  /// Adds a key once `delay` has passed. Of several delays for one key the one that ends first counts.
  package func add(_ key: Key, after delay: Duration) {
    guard delay > .zero else { return add(key) }
    let deadline = time.uptime + delay
    let isSooner = state.withLock { state in
      guard !state.isShutDown, state.delayed[key].map({ deadline < $0 }) ?? true else { return false }
      state.delayed[key] = deadline
      return true
    }
    if isSooner { timerWake.raise() }
  }

  /// Adds a key after a delay that grows with each call until ``forget(_:)``, and is `minimum` at least.
  package func addRateLimited(_ key: Key, atLeast minimum: Duration = .zero) {
    metrics.retries.increment()
    let failures = state.withLock { state in
      state.failures[key, default: 0] += 1
      return state.failures[key, default: 0]
    }
    add(key, after: max(minimum, backoff.delay(afterFailures: failures)))
  }

  /// Lets the delays of ``addRateLimited(_:atLeast:)`` start from the beginning for this key.
  package func forget(_ key: Key) { state.withLock { _ = $0.failures.removeValue(forKey: key) } }

  /// The next key, which is the caller's until ``done(_:)``. `nil` after ``shutDown()`` and for a cancelled task.
  package func next() async -> Key? {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Key?? = state.withLock { state in
          if state.isShutDown || Task.isCancelled { return .some(nil) }
          if let key = take(&state) { return key }
          state.waiters.append(Waiter(number: number, continuation: continuation))
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let waiter = state.withLock { $0.waiters.removeFirst { $0.number == number } }
      waiter?.continuation.resume(returning: nil)
    }
  }

  /// Gives a key back. If it was added meanwhile, it comes up again.
  package func done(_ key: Key) {
    let now = time.uptime
    let (began, handover) = state.withLock { state -> (Duration?, Handover?) in
      let began = state.processing.removeValue(forKey: key)
      guard !state.isShutDown, state.dirty[key] != nil else { return (began, nil) }
      state.ready.append(key)
      return (began, handOver(&state))
    }
    if let began { metrics.workDuration.observe(now - began) }
    deliver(handover)
  }

  /// Whether no key waits for a worker; one may still be in work.
  package var isEmpty: Bool { state.withLock { $0.ready.isEmpty } }

  /// Ends the queue: waiting workers get `nil`, and so does who asks later; keys that wait are dropped.
  package func shutDown() {
    let waiters = state.withLock { state in
      state.isShutDown = true
      state.ready = FIFO()
      state.dirty = [:]
      state.delayed = [:]
      defer { state.waiters = FIFO() }
      return state.waiters.elements
    }
    metrics.depth.set(0)
    for waiter in waiters { waiter.continuation.resume(returning: nil) }
    timerWake.raise()
  }

  /// Adds delayed keys when their time has come, until the queue is shut down or the task cancelled.
  package func runTimer() async {
    while !Task.isCancelled {
      timerWake.lower()
      addDue()
      let (isShutDown, deadline) = state.withLock { ($0.isShutDown, $0.delayed.values.min()) }
      if isShutDown { return }
      // Delays come from fields that people write; sleeping for longer than clocks can count is a crash.
      let delay = deadline.map { min(max(.zero, $0 - time.uptime), Self.longestSleep) }
      try? await time.sleep(for: delay, orUntil: timerWake)
    }
  }

  private static var longestSleep: Duration { .seconds(86_400) }

  private func addDue() {
    let now = time.uptime
    let due = state.withLock { state in
      let due = state.delayed.filter { $0.value <= now }.sorted { $0.value < $1.value }.map(\.key)
      for key in due { state.delayed[key] = nil }
      return due
    }
    for key in due { add(key) }
  }

  private func add(_ key: Key, to state: inout State) -> Handover? {
    guard !state.isShutDown, state.dirty[key] == nil else { return nil }
    metrics.adds.increment()
    state.dirty[key] = time.uptime
    guard state.processing[key] == nil else { return nil }
    state.ready.append(key)
    return handOver(&state)
  }

  private func handOver(_ state: inout State) -> Handover? {
    metrics.depth.set(Double(state.ready.count))
    guard !state.waiters.isEmpty, let key = take(&state), let waiter = state.waiters.popFirst() else { return nil }
    return Handover(waiter: waiter, key: key)
  }

  private func take(_ state: inout State) -> Key? {
    guard let key = state.ready.popFirst() else { return nil }
    let now = time.uptime
    if let added = state.dirty.removeValue(forKey: key) { metrics.queueDuration.observe(now - added) }
    state.processing[key] = now
    metrics.depth.set(Double(state.ready.count))
    return key
  }

  private func deliver(_ handover: Handover?) { handover?.waiter.continuation.resume(returning: handover?.key) }

  /// How long each key that a worker has is with it.
  private var workingTimes: [Duration] {
    let now = time.uptime
    return state.withLock { $0.processing.values.map { now - $0 } }
  }
}

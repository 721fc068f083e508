// Between recording and delivery: a bounded buffer.

import Synchronization

/// Occurrences that wait to be delivered: so many at most, what comes on top is dropped and counted.
package final class EventBuffer: Sendable {
  private struct State {
    var waiting = FIFO<Occurrence>()
    /// Waiting, or taken out and not settled yet.
    var unsettled = 0
  }

  private let capacity: Int
  private let dropped: Counter
  private let state = Mutex(State())
  /// Raised while there may be something to take out.
  let isFilled = Signal()
  /// Raised while everything that was put in is settled.
  let isSettled = Signal()

  package init(capacity: Int = 1000, metrics: MetricsRegistry) {
    self.capacity = capacity
    dropped = metrics.counter("events_dropped_total", "Events that were never written.")
    isSettled.raise()
  }

  func append(_ occurrence: Occurrence) {
    let hasRoom = state.withLock { state in
      guard state.waiting.count < capacity else { return false }
      state.waiting.append(occurrence)
      state.unsettled += 1
      isSettled.lower()
      isFilled.raise()
      return true
    }
    if !hasRoom { dropped.increment() }
  }

  /// Takes the oldest out, to be settled; lowers ``isFilled`` when there is none.
  func popFirst() -> Occurrence? {
    state.withLock { state in
      if state.waiting.isEmpty { isFilled.lower() }
      return state.waiting.popFirst()
    }
  }

  /// An occurrence that was taken out has been delivered, or never will be.
  func settle(delivered: Bool) {
    if !delivered { dropped.increment() }
    state.withLock { state in
      state.unsettled -= 1
      if state.unsettled == 0 { isSettled.raise() }
    }
  }
}

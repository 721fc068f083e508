// A latch that one task raises and others wait for: the one waiting primitive of the runtime besides TimeSource.

import KubernetesModel
import Synchronization

/// A latch: once raised, every wait returns at once until it is lowered.
package final class Signal: Sendable {
  private struct State {
    var isRaised = false
    var nextWaiter = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package var isRaised: Bool { state.withLock { $0.isRaised } }

  /// Lets all waiters go, and those that come later.
  package func raise() {
    let waiters = state.withLock { state in
      state.isRaised = true
      defer { state.waiters = [:] }
      return state.waiters.sorted { $0.key < $1.key }.map(\.value)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Makes later waits wait again.
  package func lower() { state.withLock { $0.isRaised = false } }

  /// Returns once the signal is raised.
  /// - Throws: `CancellationError` when the task is cancelled first.
  package func wait() async throws {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isRaised || Task.isCancelled { return true }
          state.waiters[number] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }
    if !isRaised { try Task.checkCancellation() }
  }
}

extension TimeSource {
  /// Sleeps until `duration` has passed or `signal` is raised, whichever is first; `nil` waits for the signal only.
  package func sleep(for duration: Duration?, orUntil signal: Signal) async throws {
    guard let duration else { return try await signal.wait() }
    if signal.isRaised { return }
    try await withThrowingTaskGroup { group in
      group.addTask { try await self.sleep(for: duration) }
      group.addTask { try await signal.wait() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

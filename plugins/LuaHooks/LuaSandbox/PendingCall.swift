// PendingCall: one call on its way, ended by its thread or by whoever loses patience with it, whichever comes first.

internal import Synchronization

/// The meeting point of a call's thread and those who wait for it.
final class PendingCall<Value: Sendable>: Sendable {
  typealias Outcome = Result<Value, HookThreadError>

  private struct State {
    var outcome: Outcome?
    var waiters: [CheckedContinuation<Outcome, Never>] = []
  }

  private let state = Mutex(State())

  /// Ends the call, unless it has ended. Returns whether it was this outcome that did.
  func end(with outcome: Outcome) -> Bool {
    let waiters: [CheckedContinuation<Outcome, Never>]? = state.withLock { state in
      guard state.outcome == nil else { return nil }
      state.outcome = outcome
      defer { state.waiters = [] }
      return state.waiters
    }
    waiters?.forEach { $0.resume(returning: outcome) }
    return waiters != nil
  }

  /// Waits for the end.
  func outcome() async -> Outcome {
    await withCheckedContinuation { continuation in
      let outcome = state.withLock { state -> Outcome? in
        if state.outcome == nil { state.waiters.append(continuation) }
        return state.outcome
      }
      if let outcome { continuation.resume(returning: outcome) }
    }
  }
}

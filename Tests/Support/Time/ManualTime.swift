// A clock that stands still until a test moves it.

package import FoundationEssentials
import KubernetesModel
import Synchronization

/// Time that passes only when a test says so. Wall clock and uptime move together unless ``jump(by:)`` says otherwise.
package final class ManualTime: TimeSource {
  private struct Sleeper {
    var deadline: Duration
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var start: Date
    var uptime: Duration = .zero
    var jump: Duration = .zero
    var nextSleeper = 0
    var sleepers: [Int: Sleeper] = [:]
  }

  private let state: Mutex<State>

  /// A clock that shows `now`.
  package init(now: Date = Date(timeIntervalSince1970: 1_700_000_000)) { state = Mutex(State(start: now)) }

  package var now: Date {
    state.withLock { $0.start.addingTimeInterval(($0.uptime + $0.jump) / .seconds(1)) }
  }

  package var uptime: Duration { state.withLock { $0.uptime } }

  package func sleep(for duration: Duration) async throws {
    let number = state.withLock { state in
      state.nextSleeper += 1
      return state.nextSleeper
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if duration <= .zero || Task.isCancelled { return true }
          state.sleepers[number] = Sleeper(deadline: state.uptime + duration, continuation: continuation)
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume()
    }
    try Task.checkCancellation()
  }

  /// Lets `duration` pass: everything whose sleep ends within wakes up, in the order of their deadlines.
  package func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.uptime += duration
      let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
      for number in due.keys { state.sleepers[number] = nil }
      return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.value.continuation)
    }
    for continuation in due { continuation.resume() }
  }

  /// Moves the wall clock alone, as an administrator or NTP does.
  package func jump(by duration: Duration) { state.withLock { $0.jump += duration } }

  /// How long until each sleeper's deadline, soonest first.
  package var pendingSleeps: [Duration] {
    state.withLock { state in state.sleepers.values.map { $0.deadline - state.uptime }.sorted() }
  }

  /// Returns once at least `count` tasks sleep on this clock.
  package func untilSleepers(atLeast count: Int = 1) async throws {
    try await eventually { self.pendingSleeps.count >= count }
  }

  /// Returns once a task sleeps for exactly `duration` more.
  package func untilSleeping(for duration: Duration) async throws {
    try await eventually { self.pendingSleeps.contains(duration) }
  }
}

// Tests that start operators use inotify instances, of which Linux gives each user 128 by default.

import Synchronization
import Testing

/// Lets a few of the tests that have this trait run at the same time, in all suites together.
struct AFewAtATime: SuiteTrait, TestTrait, TestScoping {
  private static let places = PlaceQueue(free: 6)

  let isRecursive = true

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // Only cases do anything.
    guard testCase != nil else { return try await function() }
    await Self.places.take()
    defer { Self.places.give() }
    try await function()
  }
}

extension Trait where Self == AFewAtATime {
  static var aFewAtATime: Self { Self() }
}

private final class PlaceQueue: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(free: Int) { state = Mutex(State(free: free)) }

  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free == 0 else {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  func give() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}

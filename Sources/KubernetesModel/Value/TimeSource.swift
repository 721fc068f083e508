// Time, injected: everything that waits or looks at a clock does it through a TimeSource, so that tests and the
// simulator can run the very same code on a clock of their own.

public import FoundationEssentials

/// Where code gets its time from.
public protocol TimeSource: Sendable {
  /// Wall-clock time; may jump.
  var now: Date { get }
  /// Time since an arbitrary start; never goes back, and counts while the machine is suspended.
  var uptime: Duration { get }
  /// Suspends for at least `duration`.
  /// - Throws: `CancellationError` when the task is cancelled.
  func sleep(for duration: Duration) async throws
}

/// The clocks of this machine.
public struct SystemTime: TimeSource {
  private let start = ContinuousClock.now

  /// The clocks of this machine.
  public init() {}

  /// The wall clock.
  public var now: Date { Date() }

  /// Since this value was made.
  public var uptime: Duration { ContinuousClock.now - start }

  /// Sleeps on the continuous clock.
  public func sleep(for duration: Duration) async throws { try await ContinuousClock().sleep(for: duration) }
}

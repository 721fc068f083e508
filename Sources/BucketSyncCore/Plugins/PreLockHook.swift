// preLock: may this run go for its locks now?
//
// - Expected flow: asked for every run before its Job is built and its locks are taken, again whenever the run is
//   looked at while it waits, and not any more once the locks are held.
// - Guarantees: hooks are asked in list order; the first that does not answer `proceed` decides.
// - Assumptions: an answer is quick (seconds at most) and repeatable.
// - Caveats: a run that waits here does not stand in line for its buckets; younger runs may pass it.
// - Errors: a thrown error blocks the run: it is shown in its status and an Event, and asked again with back-off.

/// Decides whether a run may go for its locks.
public protocol PreLockHook: Sendable {
  /// - Parameter run: The run in question.
  func preLock(_ run: RunContext) async throws -> PreLockResult
}

/// What a ``PreLockHook`` decides.
public enum PreLockResult: Sendable, Hashable {
  /// Nothing against it.
  case proceed
  /// Not now: ask again after the given time. The run stays in phase Initialize.
  case wait(reason: String, after: Duration)
  /// Not needed: the run ends at once, with result Skipped.
  case skip(reason: String)
  /// Not allowed: the run ends at once, with result Failed and `reason` as its error.
  case reject(reason: String)
}

// How long to wait after the n-th failure in a row.

/// Delays that double from `initial` to `limit`.
package struct Backoff: Sendable {
  package var initial: Duration
  package var limit: Duration

  package init(initial: Duration, limit: Duration) {
    self.initial = initial
    self.limit = limit
  }

  /// The delay after this many failures in a row, the first being 1.
  package func delay(afterFailures failures: Int) -> Duration {
    var delay = initial
    for _ in 1..<max(failures, 1) where delay < limit { delay *= 2 }
    return min(delay, limit)
  }

  /// The same, stretched by up to a half by chance, so that those who failed together do not come back together.
  package func delay(afterFailures failures: Int, random: RandomSource) -> Duration {
    delay(afterFailures: failures) * random(in: 1...1.5)
  }
}

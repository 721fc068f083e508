// Which failed requests the client repeats by itself.
//
// Only those that certainly had no effect: the server said "not now, come back in n seconds" (429, or 503 with
// Retry-After), or a read never left this machine. Few times and for a few seconds: whoever called has a queue with
// a back-off of its own, and must hear of trouble soon.

import KubernetesModel

/// Decides, failure by failure, whether one request is sent again.
struct RetryPolicy {
  private var remaining = 3
  private var refusedConnectionPause = Duration.milliseconds(100)
  /// A server that asks for more patience than this is answered by an error.
  private let longestPause = Duration.seconds(10)

  /// How long to wait before the next try; `nil` when there should be none.
  mutating func pause(after failure: APIError, of method: APIRequest.Method) -> Duration? {
    guard remaining > 0, let pause = wanted(after: failure, of: method), pause <= longestPause else { return nil }
    remaining -= 1
    return pause
  }

  private mutating func wanted(after failure: APIError, of method: APIRequest.Method) -> Duration? {
    switch failure {
    case .refused where failure.statusCode == 429 || failure.statusCode == 503:
      return failure.retryAfter
    case .unreachable(_, mayHaveApplied: false) where method == .get:
      defer { refusedConnectionPause *= 3 }
      return refusedConnectionPause
    default:
      return nil
    }
  }
}

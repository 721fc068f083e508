// The reflector's decisions, without I/O: given what just happened, list or watch, at once or after a pause.
//
// - A version that is too old (410, as status code or inside the stream) means list again: at once the first time,
//   however long the server was away before, with growing pauses when it keeps happening.
// - So does every other refusal of a watch except "too many requests", for only a new list is sure to get out of it:
//   a server whose history was replaced, for instance, refuses a version from the future.
// - A connection that breaks, or a watch that ends early, is resumed from the last version seen, after a pause.
// - A watch that lasted a while proves that all is well: pauses start from the beginning.

import KubernetesClient

/// Where a reflector stands between lists and watches.
struct ListWatchCycle {
  enum Event {
    case listed(version: String)
    case listFailed(APIError)
    /// The server has accepted the watch.
    case watching
    /// The watch has told everything up to this version.
    case saw(version: String)
    /// `nil`: ended by the server in good order.
    case watchEnded(APIError?)
  }

  enum Action: Hashable {
    case list(after: Duration)
    case watch(from: String, after: Duration)
  }

  /// A watch that lasted as long as this was healthy.
  static let healthyWatch = Duration.seconds(10)

  private let backoff = Backoff(initial: .milliseconds(800), limit: .seconds(30))
  private let random: RandomSource
  /// `nil` when only a list can tell.
  private var version: String?
  private var failures = 0
  /// Whether a version was too old since the last healthy watch.
  private var hasExpired = false
  private var watchingSince: Duration?

  init(random: RandomSource) { self.random = random }

  /// What to do next.
  var action: Action { next(after: .zero) }

  /// Takes note of an event that happened at `uptime`, and tells what to do next.
  mutating func event(_ event: Event, at uptime: Duration) -> Action {
    switch event {
    case .listed(let version):
      self.version = version
      return next(after: .zero)
    case .listFailed(let error):
      version = nil
      return pause(after: error)
    case .watching:
      watchingSince = uptime
      return next(after: .zero)
    case .saw(let version):
      self.version = version
      return next(after: .zero)
    case .watchEnded(let error):
      let isHealthy = watchingSince.map { uptime - $0 >= Self.healthyWatch } ?? false
      watchingSince = nil
      if isHealthy {
        failures = 0
        hasExpired = false
      }
      guard let error else { return isHealthy ? next(after: .zero) : pause(after: nil) }
      if needsList(error) { version = nil }
      if error.isExpired, !hasExpired {
        hasExpired = true
        failures = max(1, failures)
        return next(after: .zero)
      }
      return pause(after: error)
    }
  }

  private func needsList(_ error: APIError) -> Bool {
    switch error {
    case .refused: error.statusCode != 429
    case .malformed: true
    case .unreachable, .cancelled: false
    }
  }

  private mutating func pause(after error: APIError?) -> Action {
    failures += 1
    return next(after: max(backoff.delay(afterFailures: failures, random: random), error?.retryAfter ?? .zero))
  }

  private func next(after delay: Duration) -> Action {
    version.map { .watch(from: $0, after: delay) } ?? .list(after: delay)
  }
}

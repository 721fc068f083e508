// A clock on which sleeping takes no time, and which remembers how long was slept.

import FoundationEssentials
import KubernetesModel
import Synchronization

final class ManualTime: TimeSource {
  private let state = Mutex<(elapsed: Duration, sleeps: [Duration])>((.zero, []))

  var now: Date { Date(timeIntervalSince1970: 1_700_000_000 + Double(uptime.components.seconds)) }
  var uptime: Duration { state.withLock { $0.elapsed } }
  var sleeps: [Duration] { state.withLock { $0.sleeps } }

  func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    state.withLock {
      $0.elapsed += duration
      $0.sleeps.append(duration)
    }
  }

  func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }
}

// The clocks of a simulated machine: they show what the agenda says, and wall clocks can be set wrong.

import FoundationEssentials
import KubernetesModel

/// The clocks of one machine.
final class VirtualTime: TimeSource, @unchecked Sendable {
  /// 2024-01-15T01:59:50Z: ten seconds before a full hour.
  static let start = Date(timeIntervalSince1970: 1_705_283_990)

  private let agenda: Agenda
  /// How far the wall clock is off.
  var offset: Duration = .zero

  init(_ agenda: Agenda) { self.agenda = agenda }

  var now: Date { Self.start.addingTimeInterval((agenda.now + offset) / .seconds(1)) }

  var uptime: Duration { agenda.now }

  func sleep(for duration: Duration) async throws {
    let sleeper = Sleeper()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if duration <= .zero || Task.isCancelled { return continuation.resume() }
        sleeper.continuation = continuation
        sleeper.ticket = agenda.after(duration) { sleeper.wake() }
      }
    } onCancel: {
      if let ticket = sleeper.ticket { agenda.cancel(ticket) }
      sleeper.wake()
    }
    try Task.checkCancellation()
  }
}

/// A task that sleeps. Only ever touched by the thread of its world.
private final class Sleeper: @unchecked Sendable {
  var continuation: CheckedContinuation<Void, Never>?
  var ticket: Agenda.Ticket?

  func wake() {
    let waiting = continuation
    continuation = nil
    waiting?.resume()
  }
}

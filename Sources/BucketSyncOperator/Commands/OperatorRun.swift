// What every way to run the operator has in common: it goes on until a signal tells it to stop.

internal import FoundationEssentials
internal import OperatorRuntime
internal import UnixSignals

enum OperatorRun {
  /// Runs `body`, which ends in good order once the signal that it is given is raised: by SIGTERM or SIGINT.
  static func untilToldToStop(_ body: @escaping @Sendable (_ shutdown: Signal) async throws -> Void) async throws {
    let shutdown = Signal()
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    try await withThrowingTaskGroup { group in
      group.addTask {
        for await _ in signals { shutdown.raise() }
        // Only cancellation ends the sequence.
        try await Signal().wait()
      }
      group.addTask { try await body(shutdown) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// The pod's name, or the machine's, made unique: two processes must never take each other for themselves.
  static func instanceName(_ environment: [String: String]) -> String {
    let host = environment["POD_NAME"] ?? environment["HOSTNAME"] ?? ProcessInfo.processInfo.hostName
    return "\(host)_\(UUID().uuidString.lowercased())"
  }
}

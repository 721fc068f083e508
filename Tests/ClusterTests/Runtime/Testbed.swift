// The testbed behind the cluster: its kubectl, and its scripts for tests of faults.

import FoundationEssentials
import Subprocess
import Testing

/// The testbed of this repository, where the cluster is one.
enum Testbed {
  /// Whether tests may restart parts of it, which disturbs whoever else uses it: `BUCKET_SYNC_DISTURB=1`.
  static var mayBeDisturbed: Bool {
    Cluster.isEnabled && Cluster.environment["BUCKET_SYNC_DISTURB"] == "1"
      && Cluster.environment["TESTBED_DIR"] != nil
  }

  /// Restarts a part, `apiserver` for example, and returns when it is ready.
  static func restart(_ part: String) async throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Testbed/restart").path
    let directory = Cluster.environment["TESTBED_DIR"] ?? ""
    _ = try await output(of: script, [part], environment: ["BUCKET_SYNC_TESTBED_DIR": directory])
  }

  /// What `kubectl` prints.
  static func kubectl(_ arguments: String...) async throws -> String {
    try await output(of: Cluster.environment["KUBECTL"] ?? "kubectl", arguments, environment: [:])
  }

  private static func output(
    of program: String,
    _ arguments: [String],
    environment: [String: String]
  ) async throws -> String {
    let variables = environment.map { "\($0.key)=\($0.value)" }
    let result = try await run(
      .name("env"),
      arguments: Arguments(variables + [program] + arguments),
      output: .string(limit: 1 << 20),
      error: .string(limit: 1 << 20)
    )
    try #require(result.terminationStatus.isSuccess, "\(program): \(result.standardError)")
    return result.standardOutput
  }
}

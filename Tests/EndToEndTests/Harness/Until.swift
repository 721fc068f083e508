// Waiting for what the cluster is about to bring about. The bound is generous and no test's subject: on a busy machine
// everything takes longer, and nothing here asserts how long.

import Testing

/// What a test waited for did not come about.
struct NeverHappened: Error, CustomStringConvertible {
  let description: String
}

/// Returns once `condition` holds.
func until(
  _ what: String,
  within bound: Duration = .seconds(120),
  sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + bound
  while try await !condition() {
    guard ContinuousClock.now < deadline else {
      throw NeverHappened(description: "never within \(bound): \(what) (line \(sourceLocation.line))")
    }
    try await Task.sleep(for: .milliseconds(100))
  }
}

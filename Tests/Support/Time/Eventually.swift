// Waiting for what another task is about to bring about.

/// What a test waited for did not come about.
package struct NeverHappened: Error, CustomStringConvertible {
  package let description: String
}

/// Returns once `condition` holds.
/// - Parameter seconds: How much real time it gets before the test fails; no healthy test comes near.
package func eventually(
  _ what: @autoclosure @Sendable () -> String = "the awaited condition",
  within seconds: Int = 120,
  file: StaticString = #fileID,
  line: UInt = #line,
  _ condition: @Sendable () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + .seconds(seconds)
  var attempts = 0
  while ContinuousClock.now < end {
    if try await condition() { return }
    attempts += 1
    if attempts < 100 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
  }
  throw NeverHappened(description: "\(what()) never came about (\(file):\(line))")
}

// Waiting for what another task is about to bring about.

/// What a test waited for did not come about.
package struct NeverHappened: Error, CustomStringConvertible {
  package let description: String
}

/// Returns once `condition` holds.
/// - Throws: ``NeverHappened`` if it does not within half a minute of real time, which no healthy test comes near.
package func eventually(
  _ what: @autoclosure @Sendable () -> String = "the awaited condition",
  file: StaticString = #fileID,
  line: UInt = #line,
  _ condition: @Sendable () async throws -> Bool
) async throws {
  for attempt in 0..<30_000 {
    if try await condition() { return }
    if attempt < 100 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
  }
  throw NeverHappened(description: "\(what()) never came about (\(file):\(line))")
}

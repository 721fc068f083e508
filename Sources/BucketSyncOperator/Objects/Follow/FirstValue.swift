// A value that comes later: the first one that is set stays.

internal import OperatorRuntime
internal import Synchronization

final class FirstValue<Value: Sendable>: Sendable {
  private let signal = Signal()
  private let stored = Mutex<Value?>(nil)

  /// Sets the value, unless there is one.
  func set(_ value: Value) {
    stored.withLock { if $0 == nil { $0 = value } }
    signal.raise()
  }

  /// The value, if there is one by now.
  var present: Value? { stored.withLock { $0 } }

  /// The value, as soon as there is one.
  /// - Throws: `CancellationError`.
  func value() async throws -> Value {
    try await signal.wait()
    guard let value = stored.withLock({ $0 }) else { throw CancellationError() }
    return value
  }
}

// Small things that tests gather from several tasks.

import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import Synchronization
import TestSupport

/// A list that any task may append to.
final class Recorded<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])
  var all: [Element] { elements.withLock { $0 } }
  func append(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// A value that any task may change.
final class Shared<Value: Sendable>: Sendable {
  let state: Mutex<Value>
  init(_ value: Value) { state = Mutex(value) }
}

/// A log handler that keeps what it is given.
struct RecordedLog: LogHandler {
  let lines: Recorded<(Logger.Level, String)>
  var logLevel = Logger.Level.trace
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.append((event.level, "\(event.message)")) }
}

extension Logger {
  /// A logger that nobody reads.
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

  static func recording(_ lines: Recorded<(Level, String)>) -> Logger {
    Logger(label: "test") { _ in RecordedLog(lines: lines) }
  }
}

extension RandomSource {
  /// Always the lower end.
  static let lowest = RandomSource { $0.lowerBound }
}

extension ConfigMap {
  /// A ConfigMap as a server would show it.
  static func stored(
    _ name: String,
    namespace: String = "default",
    version: Int,
    uid: String = "a",
    owner: String? = nil
  ) -> ConfigMap {
    var map = ConfigMap(metadata: ObjectMeta(name: name, namespace: namespace))
    map.metadata.resourceVersion = "\(version)"
    map.metadata.uid = uid
    map.data = owner.map { ["owner": $0] }
    return map
  }
}

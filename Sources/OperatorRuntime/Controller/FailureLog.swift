// Which failure of which key has been told already, so that a retry in a loop does not fill the log.

import KubernetesModel
import Synchronization

/// The last failure of each key that fails at present.
final class FailureLog: Sendable {
  private let messages = Mutex<[ObjectKey: String]>([:])

  /// Notes the failure; whether it differs from the key's last one.
  func isNew(_ message: String, for key: ObjectKey) -> Bool {
    messages.withLock { $0.updateValue(message, forKey: key) != message }
  }

  /// Notes that the key is well again.
  func clear(_ key: ObjectKey) { messages.withLock { _ = $0.removeValue(forKey: key) } }
}

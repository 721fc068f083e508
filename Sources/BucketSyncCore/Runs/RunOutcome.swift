// RunOutcome: how a run ended.

public import BucketSyncAPI
import KubernetesModel

/// How a run ended.
public enum RunOutcome: Sendable, Hashable {
  /// The destination now equals the source.
  case succeeded
  /// It did not work; the reason is a CamelCase word, the message a sentence for people that holds no secret.
  case failed(reason: String, message: String)
  /// A plugin said that it was not needed.
  case skipped(message: String)
  /// The run was deleted before it had finished.
  case cancelled(message: String)

  /// The value of `status.result`.
  public var result: BucketSync.Result {
    switch self {
    case .succeeded: .succeeded
    case .failed: .failed
    case .skipped: .skipped
    case .cancelled: .cancelled
    }
  }

  /// The sentence for people; `nil` for a success.
  public var message: String? {
    switch self {
    case .succeeded: nil
    case .failed(_, let message), .skipped(let message), .cancelled(let message): message
    }
  }
}

extension RunOutcome {
  /// What the run's status, written by phase Finalize, says of the outcome.
  init(stored status: BucketSync.Status?) {
    let condition = status?.conditions?[RunReconciler.jobRunning]
    let message = status?.error ?? condition?.message ?? ""
    switch status?.result {
    case .succeeded: self = .succeeded
    case .skipped: self = .skipped(message: message)
    case .cancelled: self = .cancelled(message: message)
    case .failed where !message.isEmpty: self = .failed(reason: condition?.reason ?? "Failed", message: message)
    default:
      let unknown = "status.result is missing or unknown: somebody else must have written the run's status"
      self = .failed(reason: condition?.reason ?? "Failed", message: message.isEmpty ? unknown : message)
    }
  }

  /// CamelCase word for conditions.
  var reason: String {
    if case .failed(let reason, _) = self { reason } else { result.rawValue }
  }

  /// Whether the run did all that was wanted of it.
  var isGood: Bool {
    switch self {
    case .succeeded, .skipped: true
    case .failed, .cancelled: false
    }
  }

  /// What `status.error` says.
  var error: String? {
    switch self {
    case .failed(_, let message), .cancelled(let message): message
    case .succeeded, .skipped: nil
    }
  }
}

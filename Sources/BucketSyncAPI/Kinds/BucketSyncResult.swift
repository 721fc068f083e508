// How a run ended.

extension BucketSync {
  /// How a finished run ended.
  public enum Result: RawRepresentable, Sendable, Hashable, Codable {
    /// rclone made the destination equal to the source.
    case succeeded
    /// Something went wrong; `status.error` says what.
    case failed
    /// A plugin decided that there was nothing to do.
    case skipped
    /// The run was deleted, or its policy was, before it had finished.
    case cancelled
    /// Text that no version known to us writes: kept as it is, so that it survives a read and a write.
    case unknown(String)

    public init(rawValue: String) {
      self =
        switch rawValue {
        case "Succeeded": .succeeded
        case "Failed": .failed
        case "Skipped": .skipped
        case "Cancelled": .cancelled
        default: .unknown(rawValue)
        }
    }

    /// The text in `status.result`.
    public var rawValue: String {
      switch self {
      case .succeeded: "Succeeded"
      case .failed: "Failed"
      case .skipped: "Skipped"
      case .cancelled: "Cancelled"
      case .unknown(let text): text
      }
    }
  }
}

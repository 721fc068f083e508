// The phases of a run: Initialize → Sync → Finalize → Finished. A failure anywhere leads to Finalize.

extension BucketSync {
  /// How far a run has come.
  public enum Phase: RawRepresentable, Sendable, Hashable, Codable {
    /// Waits for, and takes, the locks of both buckets.
    case initialize
    /// The Job exists, or is being created.
    case sync
    /// The Job is being stopped and deleted, the locks are being released.
    case finalize
    /// Nothing will happen any more.
    case finished
    /// Text that no version known to us writes: kept as it is, so that it survives a read and a write.
    case unknown(String)

    public init(rawValue: String) {
      self =
        switch rawValue {
        case "Initialize": .initialize
        case "Sync": .sync
        case "Finalize": .finalize
        case "Finished": .finished
        default: .unknown(rawValue)
        }
    }

    /// The text in `status.phase`.
    public var rawValue: String {
      switch self {
      case .initialize: "Initialize"
      case .sync: "Sync"
      case .finalize: "Finalize"
      case .finished: "Finished"
      case .unknown(let text): text
      }
    }
  }
}

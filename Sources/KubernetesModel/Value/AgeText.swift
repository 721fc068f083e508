// Ages as kubectl shows them: two units at most, coarser as they grow.
//
//     45s   3m20s   17m   5h12m   30h   4d3h   120d   2y40d

/// How long ago something was, in few characters.
public struct AgeText: Sendable, Hashable, CustomStringConvertible {
  public let description: String

  /// - Parameter seconds: Whole seconds; a negative age, which only clocks that disagree bring about, is `<invalid>`.
  public init(seconds: Int64) {
    func two(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
      small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
    }
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
    description =
      switch seconds {
      case ..<(-1): "<invalid>"
      case ..<0: "0s"
      case ..<120: "\(seconds)s"
      case ..<600: two(minutes, "m", seconds % 60, "s")
      case ..<(3 * 3600): "\(minutes)m"
      case ..<(8 * 3600): two(hours, "h", minutes % 60, "m")
      case ..<(48 * 3600): "\(hours)h"
      case ..<(8 * 86400): two(days, "d", hours % 24, "h")
      case ..<(2 * 365 * 86400): "\(days)d"
      case ..<(8 * 365 * 86400): two(days / 365, "y", days % 365, "d")
      default: "\(days / 365)y"
      }
  }

  /// The time from `start` to `end`.
  public init(from start: Timestamp, to end: Timestamp) {
    self.init(seconds: end.unixSeconds - start.unixSeconds)
  }
}

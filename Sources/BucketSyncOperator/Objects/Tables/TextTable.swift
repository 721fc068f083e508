// Rows in columns, as kubectl prints them.

internal import BucketSyncAPI
internal import KubernetesModel

struct TextTable: Sendable {
  var header: [String]
  var rows: [[String]] = []

  /// The lines of the table; every column is as wide as what it holds, and at least as in `widths`.
  func lines(withHeader: Bool = true, widths: [Int] = []) -> [String] {
    let all = (withHeader ? [header] : []) + rows
    let widths = self.widths(atLeast: widths)
    return all.map { row in
      var line = ""
      for (index, cell) in row.enumerated() {
        line += cell
        guard index < row.count - 1 else { break }
        line += String(repeating: " ", count: max(0, (index < widths.count ? widths[index] : 0) - cell.count) + 3)
      }
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// How wide the columns are.
  func widths(atLeast others: [Int] = []) -> [Int] {
    header.indices.map { column in
      let own = ([header] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
      return max(own, column < others.count ? others[column] : 0)
    }
  }
}

/// How long ago something was, as kubectl says it: `4s`, `3m12s`, `5h`, `12d`.
enum Age {
  static func text(since time: Timestamp?, now: Timestamp) -> String {
    guard let time else { return "<unknown>" }
    let seconds = max(0, now.unixSeconds - time.unixSeconds)
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
    func two(_ whole: Int64, _ unit: String, _ rest: Int64, _ restUnit: String) -> String {
      rest == 0 ? "\(whole)\(unit)" : "\(whole)\(unit)\(rest)\(restUnit)"
    }
    // k8s.io/apimachinery/pkg/util/duration, HumanDuration
    switch seconds {
    case ..<120: return "\(seconds)s"
    case ..<600: return two(minutes, "m", seconds % 60, "s")
    case ..<10800: return "\(minutes)m"
    case ..<28800: return two(hours, "h", minutes % 60, "m")
    case ..<172_800: return "\(hours)h"
    case ..<691_200: return two(days, "d", hours % 24, "h")
    case ..<63_072_000: return "\(days)d"
    default: return two(days / 365, "y", days % 365, "d")
    }
  }
}

// How far rclone is, by the lines that it logs about it.
//
//     2026/11/23 02:24:33 NOTICE:     4.096 MiB / 7.629 MiB, 54%, 1.016 MiB/s, ETA 3s (xfr#20/40, chk#2/9)
//
// That is --stats-one-line of rclone 1.56 and later. The form with many lines, and the units of older versions
// (`4.096M / 7.629 MBytes, 54%, 1.016 MBytes/s`), are understood too, since site scripts may set other flags.

/// What rclone has said last.
struct TransferProgress: Sendable, Hashable {
  struct Count: Sendable, Hashable {
    var done: Int
    var total: Int
  }

  /// As rclone writes them: `4.096 MiB`.
  var done: String?
  var total: String?
  var percent: Int?
  /// `1.016 MiB/s`.
  var rate: String?
  /// `3s`; `nil` while rclone does not know.
  var timeLeft: String?
  var objects: Count?
  var checks: Count?

  /// Takes up a line of the log; whether it was one about progress.
  mutating func take(_ line: some StringProtocol) -> Bool {
    let line = String(line)
    if let match = line.firstMatch(of: Self.bytes) {
      done = String(match.done)
      total = String(match.total)
      percent = Int(match.percent.dropLast())
      rate = String(match.rate)
      timeLeft = match.left == "-" ? nil : String(match.left)
      takeCounts(match.counts.map(String.init) ?? "", isOneLine: !line.hasPrefix("Transferred:"))
      return true
    }
    guard let match = line.firstMatch(of: Self.count) else { return false }
    let count = Self.count(match.done, match.total)
    if match.what == "Checks" { checks = count ?? checks } else { objects = count ?? objects }
    return true
  }

  /// Counts are left out once nothing waits any more: then what was counted last is all done, or nearly so.
  private mutating func takeCounts(_ text: String, isOneLine: Bool) {
    guard isOneLine else { return }
    if let match = text.firstMatch(of: #/xfr#(\d+)/(\d+)/#) {
      objects = Self.count(match.1, match.2)
    } else if percent == 100, let total = objects?.total {
      objects = Count(done: total, total: total)
    }
    if let match = text.firstMatch(of: #/chk#(\d+)/(\d+)/#) { checks = Self.count(match.1, match.2) }
  }

  private static func count(_ done: Substring, _ total: Substring) -> Count? {
    guard let done = Int(done), let total = Int(total) else { return nil }
    return Count(done: done, total: total)
  }

  private static var bytes:
    Regex<
      (
        Substring, done: Substring, total: Substring, percent: Substring, rate: Substring, left: Substring,
        counts: Substring?
      )
    >
  {
    #/(?:^|\s|-)(?<done>\d[\d.]*(?: ?[A-Za-z]+)?) / (?<total>\d[\d.]* ?[A-Za-z]*), (?<percent>\d+%|-), (?<rate>\d[\d.]* ?[A-Za-z]+/s), ETA (?<left>[\w-]+)(?: \((?<counts>[^)]*)\))?/#
  }

  private static var count: Regex<(Substring, what: Substring, done: Substring, total: Substring)> {
    #/^(?<what>Transferred|Checks):\s+(?<done>\d+) / (?<total>\d+), (?:\d+%|-)/#
  }
}

extension TransferProgress {
  /// What is known, the most important first: `54%`, `4.096 MiB of 7.629 MiB`, `20 of 40 objects`, `1.016 MiB/s`, `3s left`.
  var parts: [String] {
    var parts: [String] = []
    if let percent { parts.append("\(percent)%") }
    if let done, let total, percent != nil { parts.append("\(done) of \(total)") }
    if let objects { parts.append("\(objects.done) of \(objects.total) objects") }
    if let rate, percent != nil { parts.append(rate) }
    if let timeLeft { parts.append("\(timeLeft) left") }
    if percent == nil, let checks { parts.append("\(checks.done) of \(checks.total) checked") }
    return parts
  }

  /// What was done in all, for the end: `40 objects, 7.629 MiB`; `nil` if nothing is known.
  var summary: String? {
    guard let total, percent == 100 else { return percent == nil && done != nil ? "nothing to transfer" : nil }
    return (objects.map { ["\($0.total) objects"] } ?? []).joined() + (objects == nil ? total : ", \(total)")
  }
}

// The few lines of a log that tell why rclone failed.
//
// rclone repeats itself: each of its three attempts logs the same errors, every object fails for the same reason, and
// a summary says it all again. What is left here is at most three different lines, without times and request numbers.

/// The lines that matter, in the order they were logged, free of secrets.
struct LogDigest: Sendable, Hashable {
  private static let maximumLines = 3
  private static let maximumLength = 500

  let lines: [String]

  /// - Parameter log: The end of a log; its first line may be cut.
  init(_ log: String) {
    var lines = log.split(whereSeparator: \.isNewline).map { Line($0) }
    // Kubernetes keeps the last 2048 bytes or 80 lines.
    if log.utf8.count >= 2000, lines.count > 1, lines.first?.hasTime == false { lines.removeFirst() }
    let errors = lines.filter { $0.tellsError && !$0.isConsequence && !$0.isStatistics }
    var chosen = Self.distinct(errors.isEmpty ? lines.filter { !$0.isBlank && !$0.isStatistics }.suffix(1) : errors)
    // Errors about a whole side are the reason of the others.
    while chosen.count > Self.maximumLines {
      chosen.remove(at: chosen.firstIndex { !$0.isAboutSide } ?? 0)
    }
    self.lines = Self.fitted(chosen.map { Redaction.redacted($0.text) })
  }

  /// The lines in one.
  var text: String { lines.joined(separator: "; ") }

  /// Text from elsewhere, made fit for a message: one line, short, no secrets.
  static func clean(_ text: String) -> String {
    let words = Redaction.redacted(text).split { $0.isWhitespace || $0.isNewline }
    return cut(words.joined(separator: " ").filter { !$0.isControl }, to: maximumLength)
  }

  /// One of each kind, the last one; no summary of what another line says.
  private static func distinct(_ lines: [Line]) -> [Line] {
    var seen: Set<String> = []
    let last = lines.reversed().filter { seen.insert($0.kind).inserted }.reversed()
    return last.filter { line in
      !line.isSummary || !last.contains { !$0.isSummary && $0.text.hasSuffix(line.cause) }
    }
  }

  private static func fitted(_ lines: [String]) -> [String] {
    let share = maximumLength / max(1, lines.count)
    // What short lines leave over goes to the long ones.
    let spare = lines.reduce(0) { $0 + max(0, share - $1.count) }
    let long = lines.count { $0.count > share }
    return lines.map { cut($0, to: $0.count > share ? share + spare / max(1, long) : share) }
  }

  private static func cut(_ text: String, to length: Int) -> String {
    text.count <= length ? text : text.prefix(length - 1) + "…"
  }
}

extension LogDigest {
  /// One line of a log.
  private struct Line {
    let text: String
    let hasTime: Bool

    init(_ raw: Substring) {
      // 2026/11/22 19:42:50 ERROR : …
      let time = raw.prefixMatch(of: #/\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(\.\d+)? /#)
      hasTime = time != nil
      text = String((time.map { raw[$0.range.upperBound...] } ?? raw).filter { !$0.isControl })
        // operation error S3: ListObjectsV2, https response error StatusCode: 403, RequestID: …, HostID: …, api error …
        .replacing(
          #/operation error S3: (\w+), .*?StatusCode: (\d+), RequestID: [^,]*, HostID: [^,]*, (?:api error )?/#
        ) { match in match.2 == "0" ? "S3 \(match.1): " : "S3 \(match.1): status \(match.2), " }
    }

    var isBlank: Bool { text.allSatisfy(\.isWhitespace) }

    /// Progress, as --stats-one-line tells it: `NOTICE:     4.096 MiB / 7.629 MiB, 54%, 1.016 MiB/s, ETA 3s (xfr#20/40)`.
    var isStatistics: Bool { text.contains(#/^\w+ *: +[\d.]+ ?\w+ / [\d.]+ ?\w+, (\d+%|-), .*, ETA /#) }

    var tellsError: Bool {
      ["ERROR", "CRITICAL", "Failed", "Fatal", "Error:"].contains { text.contains($0) }
    }

    /// A line that only says what follows from others.
    var isConsequence: Bool {
      text.contains("as there were IO errors") || text.contains("not attempting retries")
        || text.contains(#/Attempt \d+/\d+ failed/#) || text.contains("Can't retry")
    }

    var isAboutSide: Bool { text.contains("root directory") || text.contains("Failed to create file system") }

    /// The line at the end: `NOTICE: Failed to sync with 3 errors: last error was: …`.
    var isSummary: Bool { text.contains(#/(CRITICAL|NOTICE): Failed to \w+( with \d+ errors)?: /#) }

    /// What a summary sums up.
    var cause: Substring {
      for marker in ["last error was: ", "Failed to sync: "] {
        if let range = text.firstRange(of: marker) { return text[range.upperBound...] }
      }
      return text[...]
    }

    /// The same for lines that differ only in the object they are about: `ERROR : OBJECT: Failed to copy: …`.
    var kind: String {
      guard let match = text.firstMatch(of: #/: ([Ff]ailed to|[Ee]rror|[Cc]ouldn't) /#) else { return text }
      return String(text[match.range.lowerBound...])
    }
  }
}

extension Character {
  fileprivate var isControl: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }
}

// The difference of two texts, line by line, as `diff -u` shows it.

enum LineDiff {
  private static let context = 3

  /// The changed places with a few lines around them; empty when the texts are equal.
  static func text(from old: String, to new: String) -> String {
    let lines = merged(old.split(separator: "\n"), new.split(separator: "\n"))
    let changed = lines.indices.filter { lines[$0].first != " " }
    var shown = ""
    var end = 0
    for index in changed {
      let start = max(end, index - context)
      if start > end || (shown.isEmpty && start > 0) { shown += "@@\n" }
      let stop = min(lines.count, index + context + 1)
      for line in lines[start..<max(start, stop)] { shown += line + "\n" }
      end = max(end, stop)
    }
    return shown
  }

  /// All lines, with a blank, - or + in front.
  private static func merged(_ old: [Substring], _ new: [Substring]) -> [String] {
    let difference = new.difference(from: old)
    let removed = Set(difference.removals.map(\.offset))
    let inserted = Set(difference.insertions.map(\.offset))
    var lines: [String] = []
    var place = 0
    for (index, line) in old.enumerated() {
      if removed.contains(index) {
        lines.append("-\(line)")
        continue
      }
      while inserted.contains(place) {
        lines.append("+\(new[place])")
        place += 1
      }
      lines.append(" \(line)")
      place += 1
    }
    lines += new.dropFirst(place).map { "+\($0)" }
    return lines
  }
}

extension CollectionDifference.Change {
  fileprivate var offset: Int {
    switch self {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }
}

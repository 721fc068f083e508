// The five fields: what they are called, what they allow, and how the text of one becomes a set of numbers.

struct CronField: Sendable, Hashable {
  /// Counted from 1, for people.
  var position: Int
  var name: String
  /// What may be written.
  var range: ClosedRange<Int>
  /// What `*` and an open end (`5/10`) reach to; Sunday may be written as 7, but the week ends with 6.
  var last: Int
  /// Names of numbers, in order from the start of `range`.
  var names: [String] = []

  static let minute = CronField(position: 1, name: "minute", range: 0...59, last: 59)
  static let hour = CronField(position: 2, name: "hour", range: 0...23, last: 23)
  static let dayOfMonth = CronField(position: 3, name: "day of month", range: 1...31, last: 31)
  static let month = CronField(
    position: 4,
    name: "month",
    range: 1...12,
    last: 12,
    names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
  )
  static let dayOfWeek = CronField(
    position: 5,
    name: "day of week",
    range: 0...7,
    last: 6,
    names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
  )

  static let all = [minute, hour, dayOfMonth, month, dayOfWeek]

  /// The numbers that `text` allows; on days of the week, Sunday is 0.
  func values(of text: Substring) throws(CronError) -> BitSet64 {
    var values = BitSet64()
    for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard !entry.isEmpty else {
        throw CronError(self, "a list must not have empty entries; take the extra comma out")
      }
      for value in try progression(of: entry) { values.insert(isDayOfWeek && value == 7 ? 0 : value) }
    }
    return values
  }

  /// One entry of a list: `*`, `5`, `1-5`, each also with a step.
  private func progression(of entry: Substring) throws(CronError) -> StrideThrough<Int> {
    let parts = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let span = parts[0]
    guard parts.count == 2 else {
      let bounds = try bounds(of: span, isOpen: false)
      return stride(from: bounds.lowerBound, through: bounds.upperBound, by: 1)
    }
    guard isNumber(parts[1]) else { throw CronError(self, "the step \(quoted(parts[1])) is no number") }
    let bounds = try bounds(of: span, isOpen: true)
    // A step too large for an Int reaches nothing but the first value, as any step beyond the range does.
    let step = Int(parts[1]) ?? range.upperBound + 1
    guard step > 0 else { throw CronError(self, "the step must be at least 1") }
    return stride(from: bounds.lowerBound, through: bounds.upperBound, by: min(step, range.upperBound + 1))
  }

  /// The first and last number of `*`, `5` or `1-5`; a single number with a step is open: it reaches to the end.
  private func bounds(of span: Substring, isOpen: Bool) throws(CronError) -> ClosedRange<Int> {
    if span == "*" || span == "?" { return range.lowerBound...last }
    let ends = span.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let low = try number(ends[0], in: span)
    guard ends.count == 2 else { return low...(isOpen ? max(low, last) : low) }
    let high = try number(ends[1], in: span)
    guard low <= high else {
      throw CronError(self, "the range \(span) runs backwards; write \(forwards(low, high)) instead")
    }
    return low...high
  }

  private func number(_ text: Substring, in span: Substring) throws(CronError) -> Int {
    if let index = names.firstIndex(of: text.uppercased()) { return range.lowerBound + index }
    guard isNumber(text) else { throw CronError(self, complaint(about: text, in: span)) }
    guard let number = Int(text), range.contains(number) else {
      throw CronError(self, "\(text) is out of range \(range.lowerBound)–\(range.upperBound)")
    }
    return number
  }

  private func complaint(about text: Substring, in span: Substring) -> String {
    if text.isEmpty {
      return span.isEmpty ? "a number is missing in front of the step" : "a number is missing in \(quoted(span))"
    }
    if isQuartz(text) { return "\(quoted(text)): L, W and # are not supported; write the numbers of the days" }
    guard let first = names.first, let last = names.last else { return "\(quoted(text)) is no number" }
    return "\(quoted(text)) is neither a number nor one of the names \(first)–\(last)"
  }

  /// Whether this is one of Quartz's notations for days: `L`, `LW`, `15W`, `5L`, `FRI#2`.
  private func isQuartz(_ text: Substring) -> Bool {
    guard position == 3 || isDayOfWeek else { return false }
    return text.contains("#") || ["L", "W", "LW"].contains(String(text.drop { $0.isNumber }).uppercased())
  }

  /// A range from `low` around the end to `high`, as a list: `22-2` is `22-23,0-2`.
  private func forwards(_ low: Int, _ high: Int) -> String {
    let start = isDayOfWeek ? 1 : range.lowerBound
    let end = "\(low)-\(range.upperBound)"
    return high < start ? end : "\(end),\(start)-\(high)"
  }

  private var isDayOfWeek: Bool { position == 5 }

  private func isNumber(_ text: Substring) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { ("0"..."9").contains($0) }
  }

  private func quoted(_ text: Substring) -> String { String(text).debugDescription }
}

// Durations as the Kubernetes API writes them: `metav1.Duration`, which is what Go's `time.ParseDuration` reads.
//
//     "1h30m"   "90s"   "1.5h"   "300ms"

/// Durations as text, and back.
public enum DurationText {
  /// Reads a duration: numbers, each followed by `ns`, `us`, `ms`, `s`, `m` or `h`; a sign in front of the whole.
  public static func parse(_ text: String) throws(DurationError) -> Duration {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    guard rest != "0" else { return .zero }
    guard !rest.isEmpty else { throw DurationError(text, "a number is missing") }
    var total: Int64 = 0
    while !rest.isEmpty {
      let part = try takePart(from: &rest, of: text)
      let (sum, overflows) = total.addingReportingOverflow(part)
      guard !overflows else { throw DurationError(text, "it is longer than 292 years") }
      total = sum
    }
    return .nanoseconds(isNegative ? -total : total)
  }

  /// Reads a duration that must be whole seconds, at least one.
  public static func wholeSeconds(_ text: String) throws(DurationError) -> Int64 {
    let duration = try parse(text)
    guard duration >= .seconds(1) else { throw DurationError(text, "it is shorter than one second") }
    guard duration.components.attoseconds == 0 else { throw DurationError(text, "it is not a whole number of seconds") }
    return duration.components.seconds
  }

  /// Writes a duration the short way, for people: whole seconds without units that are zero, `1h30m`; milliseconds
  /// below one second, `300ms`. What is finer is dropped.
  public static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard seconds != 0 else {
      let milliseconds = attoseconds / 1_000_000_000_000_000
      return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }
    let parts = [(seconds.magnitude / 3600, "h"), (seconds.magnitude / 60 % 60, "m"), (seconds.magnitude % 60, "s")]
    let digits = parts.filter { $0.0 != 0 }.map { "\($0.0)\($0.1)" }.joined()
    return seconds < 0 ? "-\(digits)" : digits
  }

  /// Takes one number and its unit off `rest`: nanoseconds.
  private static func takePart(from rest: inout Substring, of text: String) throws(DurationError) -> Int64 {
    let part = rest
    let whole = takeDigits(from: &rest)
    var fraction: Substring = ""
    if rest.first == "." {
      rest.removeFirst()
      fraction = takeDigits(from: &rest)
    }
    guard !whole.isEmpty || !fraction.isEmpty else {
      throw DurationError(text, "\(quoted(part)) does not start with a number")
    }
    let number = part[..<rest.startIndex]
    let name = rest.prefix { $0 != "." && !$0.isASCIIDigit }
    guard !name.isEmpty else { throw DurationError(text, "\(quoted(number)) has no unit") }
    guard let unit = nanoseconds[String(name)] else { throw DurationError(text, "\(quoted(name)) is no unit") }
    rest.removeFirst(name.count)
    guard let value = value(whole: whole, fraction: fraction, unit: unit) else {
      throw DurationError(text, "it is longer than 292 years")
    }
    return value
  }

  private static func takeDigits(from rest: inout Substring) -> Substring {
    let digits = rest.prefix { $0.isASCIIDigit }
    rest.removeFirst(digits.count)
    return digits
  }

  /// `whole.fraction` units in nanoseconds; `nil` if that does not fit.
  private static func value(whole: Substring, fraction: Substring, unit: Int64) -> Int64? {
    guard let count = whole.isEmpty ? 0 : Int64(whole) else { return nil }
    let (nanoseconds, overflows) = count.multipliedReportingOverflow(by: unit)
    // Fourteen decimals of an hour are finer than a nanosecond.
    let decimals = fraction.prefix(14)
    let part = decimals.reduce((value: 0.0, scale: Double(unit))) { sum, digit in
      (sum.value + Double(digit.wholeNumberValue ?? 0) * sum.scale / 10, sum.scale / 10)
    }
    let (sum, sumOverflows) = nanoseconds.addingReportingOverflow(Int64(part.value.rounded(.toNearestOrEven)))
    return overflows || sumOverflows ? nil : sum
  }

  private static func quoted(_ text: Substring) -> String { String(text).debugDescription }

  private static let nanoseconds: [String: Int64] = [
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000,
  ]
}

/// Why a text is no duration.
public struct DurationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text in question, what is wrong with it, and how a duration is written.
  public let description: String

  init(_ text: String, _ what: String) {
    description = "\(text.debugDescription) is not a usable duration: \(what); write for example 90s, 30m or 1h30m"
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}

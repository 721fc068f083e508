// Timestamps as the Kubernetes API writes them: `metav1.Time` (whole seconds) and `metav1.MicroTime`.
//
//     "2024-01-15T02:00:00Z"          Timestamp
//     "2024-01-15T02:00:00.123456Z"   MicroTimestamp

public import FoundationEssentials

/// A point in time of whole seconds, `metav1.Time`: RFC 3339 in UTC on the wire.
public struct Timestamp: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
  /// Seconds since 1970-01-01T00:00:00Z.
  public let unixSeconds: Int64

  /// The second that `date` lies in.
  public init(_ date: Date) { unixSeconds = Int64(date.timeIntervalSince1970.rounded(.down)) }

  /// The point `unixSeconds` after 1970-01-01T00:00:00Z.
  public init(unixSeconds: Int64) { self.unixSeconds = unixSeconds }

  /// Reads RFC 3339; a fraction of a second is dropped. `nil` if the text is no such time.
  public init?(_ text: String) {
    guard let date = RFC3339.date(from: text) else { return nil }
    self.init(date)
  }

  /// The same point as a `Date`.
  public var date: Date { Date(timeIntervalSince1970: Double(unixSeconds)) }

  /// RFC 3339 in UTC, for example `2024-01-15T02:00:00Z`.
  public var description: String { RFC3339.string(from: date, fraction: false) }

  /// Orders by time.
  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.unixSeconds < right.unixSeconds }

  /// Decodes an RFC 3339 string.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Timestamp(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no RFC 3339 time")
    }
    self = value
  }

  /// Encodes an RFC 3339 string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A point in time with microseconds, `metav1.MicroTime`, as Leases and Events carry it.
public struct MicroTimestamp: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The point in time.
  public let date: Date

  /// The point `date`; what is finer than a microsecond is lost on the wire.
  public init(_ date: Date) { self.date = date }

  /// RFC 3339 in UTC with six decimals, `2024-01-15T02:00:00.123456Z`.
  public var description: String { RFC3339.string(from: date, fraction: true) }

  /// Decodes an RFC 3339 string with or without a fraction.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let date = RFC3339.date(from: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no RFC 3339 time")
    }
    self.date = date
  }

  /// Encodes an RFC 3339 string with six decimals, the form the API server insists on.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// RFC 3339 text (section 5.6) in UTC.
private enum RFC3339 {
  /// The years 1 to 9999, by Foundation's calendar: what lies outside, be it by its zone, could not be written again.
  private static let seconds = -62_135_769_600.0..<253_402_300_800.0

  static func date(from text: String) -> Date? {
    let date =
      (try? Date.ISO8601FormatStyle(includingFractionalSeconds: false).parse(text))
      ?? (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
    return date.flatMap { seconds.contains($0.timeIntervalSince1970) ? $0 : nil }
  }

  static func string(from date: Date, fraction: Bool) -> String {
    let seconds = date.timeIntervalSince1970.rounded(.down)
    let whole = Date(timeIntervalSince1970: seconds).formatted(Date.ISO8601FormatStyle())
    guard fraction else { return whole }
    let micros = Int(((date.timeIntervalSince1970 - seconds) * 1_000_000).rounded(.down))
    let digits = String(micros)
    return whole.dropLast() + "." + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "Z"
  }
}

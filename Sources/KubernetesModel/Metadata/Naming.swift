// What may be a name in Kubernetes.

/// Rules for names of objects and for labels (Kubernetes documentation, "Object Names and IDs", "Labels and Selectors").
public enum Naming {
  /// The longest name of a Job (the API takes more, but its pods then lack the labels that lead back to it), and of
  /// everything that is to be a label's value.
  public static let labelLimit = 63

  /// Whether `text` is an RFC 1123 label: lower-case letters, digits and `-`, with a letter or digit at both ends, at
  /// most 63 characters.
  public static func isLabel(_ text: String) -> Bool { text.utf8.count <= labelLimit && isLabelOfAnyLength(text.utf8) }

  /// Whether `text` is an RFC 1123 subdomain: labels of any length joined by dots, at most 253 characters.
  public static func isSubdomain(_ text: String) -> Bool {
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return text.utf8.count <= 253 && labels.allSatisfy(isLabelOfAnyLength)
  }

  /// Whether `text` may be a label's value: empty, or a name as in ``isLabelName(_:)``.
  public static func isLabelValue(_ text: String) -> Bool { text.isEmpty || isLabelName(text) }

  /// Whether `text` may be the name part of a label's key: letters, digits, `-`, `_` and `.`, with a letter or digit
  /// at both ends, at most 63 characters.
  public static func isLabelName(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, let last = bytes.last, bytes.count <= labelLimit else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
  }

  /// `name` if it can be a label's value, `nil` if it is too long for one.
  public static func labelValue(_ name: String) -> String? { isLabelValue(name) ? name : nil }

  private static func isLabelOfAnyLength(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
      && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isLowerAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
}

// Sizes as Kubernetes writes them: 16Mi, 256Ki, 1048576.

/// Sizes in bytes.
enum ByteSize {
  private static let units: [(suffix: String, factor: Int)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30),
    ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("", 1),
  ]

  /// The bytes that `text` stands for; `nil` if it is no size.
  static func parse(_ text: String) -> Int? {
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
    guard let number = Int(text.dropLast(unit.suffix.count)), number >= 0 else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.factor)
    return overflow ? nil : bytes
  }

  /// The size in the largest unit that it is a whole number of: `16Mi`.
  static func text(_ bytes: Int) -> String {
    for unit in [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] where bytes > 0 && bytes % unit.1 == 0 {
      return "\(bytes / unit.1)\(unit.0)"
    }
    return "\(bytes)"
  }
}

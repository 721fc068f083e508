// A hash that is the same in every process and release, unlike Swift's own: names in the cluster are built with it.

/// FNV-1a with 64 bits.
public enum StableHash {
  /// The hash of the text's UTF-8 bytes.
  public static func fnv1a(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { hash, byte in (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  }

  /// The hash in 13 lower-case letters and digits, fit for names.
  public static func text(_ text: String) -> String {
    let digits = String(fnv1a(text), radix: 36)
    return String(repeating: "0", count: 13 - digits.count) + digits
  }
}

// A set of small numbers in one word: what a cron field allows.

/// A set of numbers from 0 to 63.
struct BitSet64: Sendable, Hashable {
  private(set) var bits: UInt64 = 0

  var isEmpty: Bool { bits == 0 }

  func contains(_ number: Int) -> Bool { bits & (1 << UInt64(number)) != 0 }

  mutating func insert(_ number: Int) { bits |= 1 << UInt64(number) }

  mutating func formUnion(_ other: BitSet64) { bits |= other.bits }

  /// The smallest member that is at least `number`.
  func first(from number: Int) -> Int? {
    let rest = number > 63 ? 0 : bits & (~0 << UInt64(number))
    return rest == 0 ? nil : rest.trailingZeroBitCount
  }

  /// The largest member that is at most `number`.
  func last(through number: Int) -> Int? {
    let rest = number < 0 ? 0 : bits & (~0 >> UInt64(63 - number))
    return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
  }
}

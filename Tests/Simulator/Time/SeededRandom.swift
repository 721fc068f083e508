// All the chance there is in a simulated world comes from one seed: SplitMix64 (Steele, Lea, Flood, 2014), which is
// fast, has a state of one word, and gives the same numbers on every machine.

/// Numbers by chance, the same for the same seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// A number from 0 to `bound`, without it.
  mutating func index(below bound: Int) -> Int { bound <= 1 ? 0 : Int(next() % UInt64(bound)) }

  /// A duration in `range`, in whole microseconds.
  mutating func duration(in range: ClosedRange<Duration>) -> Duration {
    let span = (range.upperBound - range.lowerBound) / .microseconds(1)
    return range.lowerBound + .microseconds(index(below: Int(span) + 1))
  }

  /// True once in `times`.
  mutating func once(in times: Int) -> Bool { index(below: times) == 0 }

  /// One of `choices`, which must not be empty.
  mutating func choice<Choices: RandomAccessCollection>(of choices: Choices) -> Choices.Element {
    choices[choices.index(choices.startIndex, offsetBy: index(below: choices.count))]
  }

  /// A number in `range`.
  mutating func number(in range: ClosedRange<Double>) -> Double {
    let unit = Double(next() >> 11) * 0x1p-53
    return range.lowerBound + unit * (range.upperBound - range.lowerBound)
  }
}

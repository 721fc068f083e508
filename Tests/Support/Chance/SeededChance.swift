// Chance that repeats itself: tests that draw their input say which seed they drew it with, and draw the same with it.
//
//     SEED=17 swift test --skip-build --filter BadObjects      the one seed that failed, nothing else
//     OBJECTS=100000 swift test …                              more of them

import FoundationEssentials

/// SplitMix64: small, fast, and the same everywhere.
package struct SeededChance: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The chance of `seed`.
  package init(seed: UInt64) {
    state = seed &* 0x9e37_79b9_7f4a_7c15 ^ 0x2545_f491_4f6c_dd1d
    _ = next()
  }

  /// The chance of `seed` in the matter of `key`: FNV-1a tells one matter from another.
  package init(seed: UInt64, key: String) {
    state = key.utf8.reduce(seed ^ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`, which must be above 0.
  package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Whether something happens that happens `percent` times in a hundred.
  package mutating func happens(_ percent: Int) -> Bool { below(100) < percent }

  /// One of `choices`, of which there must be some.
  package mutating func one<Choice>(of choices: [Choice]) -> Choice { choices[below(choices.count)] }
}

/// How much tests that draw their input try.
package enum Trials {
  /// The seed to be tried alone, from `SEED`.
  package static var onlySeed: UInt64? { ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) } }

  /// How often to try: what the variable `name` says, or `usual`.
  package static func count(_ name: String, usual: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
  }

  /// The seeds of `count` trials, or the one that was asked for.
  package static func seeds(_ count: Int) -> [UInt64] { onlySeed.map { [$0] } ?? (0..<UInt64(count)).map { $0 } }
}

// Which fault is met when: drawn from a seed, without state.
//
// A decision hangs on the seed, on what is asked for (`POST jobs`) and on how many times that was asked before. So a
// second run with the same seed decides the same for the third creation of a Job, whatever else happens in between and
// in whichever order.

/// The faults that a seed stands for.
package struct FaultPlan: Sendable {
  /// What happens to one request, or to one event.
  package struct Decision: Sendable, Equatable {
    package var fault: Fault?
    /// How long it is held, if the fault is about that.
    package var delay: Duration
    /// Decides between variants of one fault.
    package var variant: Int
  }

  package let seed: UInt64
  package let rates: FaultRates

  package init(seed: UInt64, rates: FaultRates) {
    self.seed = seed
    self.rates = rates
  }

  /// What happens to the request that is the `number`th of its kind.
  package func request(_ kind: String, _ number: Int) -> Decision {
    decide(rates.requests, "\(kind) \(number)", delays: 10...1200)
  }

  /// What happens to the beginning of the watch that is the `number`th of its kind.
  package func watch(_ kind: String, _ number: Int) -> Decision {
    decide(rates.watches, "\(kind) \(number)", delays: 10...1200)
  }

  /// What happens to one event of that watch.
  package func event(_ kind: String, _ number: Int, event: Int) -> Decision {
    decide(rates.events, "\(kind) \(number) event \(event)", delays: 100...2500)
  }

  private func decide(_ table: FaultRates.Table, _ key: String, delays: ClosedRange<Int>) -> Decision {
    var numbers = SeededNumbers(seed: seed, key: key)
    var draw = Int.random(in: 0..<1000, using: &numbers)
    let delay = Duration.milliseconds(Int.random(in: delays, using: &numbers))
    let variant = Int.random(in: 0..<1000, using: &numbers)
    for (fault, perMille) in table {
      if draw < perMille { return Decision(fault: fault, delay: delay, variant: variant) }
      draw -= perMille
    }
    return Decision(fault: nil, delay: .zero, variant: variant)
  }
}

/// The same numbers for the same seed and key, on every machine: SplitMix64.
package struct SeededNumbers: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64, key: String = "") {
    // FNV-1a.
    state = key.utf8.reduce(seed ^ 0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

// Which fault is met when: drawn from a seed, without state.
//
// A decision hangs on the seed, on what is asked for (`POST jobs`) and on how many times that was asked before. So a
// second run with the same seed decides the same for the third creation of a Job, whatever else happens in between and
// in whichever order.

import TestSupport

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
    var numbers = SeededChance(seed: seed, key: key)
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

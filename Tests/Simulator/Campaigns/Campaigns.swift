// The campaigns: each fault at each request, pairs of crashes, and worlds by chance.

import KubernetesModel

enum Campaigns {
  /// The seed of worlds whose faults are chosen one by one.
  static let baseSeed: UInt64 = 1

  /// Scenarios in which every pair of crashes is tried.
  static let paired = Scenario.all.filter {
    ["by-hand", "trigger", "cancel-sync", "two-compete", "scheduled", "timeout"].contains($0.name)
  }

  /// Every fault at every request of every scenario.
  static func singleFaults(_ scenarios: [Scenario], _ faults: [Fault] = Fault.all) -> [Case] {
    scenarios.flatMap { scenario -> [Case] in
      let calls = Case(scenario: scenario, seed: baseSeed, plan: .none).outcome().calls
      return (0..<calls).flatMap { call in
        faults.map { Case(scenario: scenario, seed: baseSeed, plan: FaultPlan([(call, $0)])) }
      }
    }
  }

  /// Every pair of crashes, before or after every two requests.
  static func pairsOfCrashes(_ scenarios: [Scenario]) -> [Case] {
    scenarios.flatMap { scenario -> [Case] in
      let calls = Case(scenario: scenario, seed: baseSeed, plan: .none).outcome().calls
      return (0..<calls).flatMap { first in
        [Fault.crashBefore, .crashAfter].flatMap { fault -> [Case] in
          let start = FaultPlan([(first, fault)])
          // What comes after the first crash is another world than without it.
          let left = Case(scenario: scenario, seed: baseSeed, plan: start).outcome().calls
          return ((first + 1)..<max(first + 2, left)).flatMap { second in
            [Fault.crashBefore, .crashAfter].map {
              Case(scenario: scenario, seed: baseSeed, plan: FaultPlan([(first, fault), (second, $0)]))
            }
          }
        }
      }
    }
  }

  /// Every scenario as it is.
  static func plain() -> [Case] { Scenario.all.map { Case(scenario: $0, seed: baseSeed, plan: .none) } }

  /// Faults one at a time, and worlds by chance, in turns.
  static func spread(_ count: Int) -> [Case] {
    let faults = singleFaults(Scenario.all.filter { $0.name != "twenty-compete" })
    return (0..<count).map { number in
      // A step that has no divisor in common with the numbers of requests and faults spreads them over everything.
      number % 2 == 0 ? faults[(number / 2 * 7919) % faults.count] : random(UInt64(number))
    }
  }

  /// The world of a seed: a scenario, told or made up, and up to five faults.
  static func random(_ seed: UInt64) -> Case {
    var random = SeededRandom(seed: seed)
    let scenario = random.once(in: 2) ? Scenario.random(random.next()) : random.choice(of: Scenario.all)
    let count = random.index(below: 6)
    let faults = (0..<count).map { _ in
      (call: random.index(below: random.once(in: 2) ? 40 : 200), fault: random.choice(of: Fault.all))
    }
    return Case(scenario: scenario, seed: seed, plan: FaultPlan(faults))
  }
}

// One case of a campaign: everything that makes a world what it is, on one line.

/// A world to be lived.
struct Case: Sendable {
  var scenario: Scenario
  var seed: UInt64
  var plan: FaultPlan

  func outcome(isRecording: Bool = false) -> Outcome {
    World(scenario, seed: seed, plan: plan, isRecording: isRecording).live()
  }

  /// How to see it again.
  var replay: String {
    let faults = plan.faults.isEmpty ? "" : " FAULTS=\(plan)"
    return "make simulate SCENARIO=\(scenario.name) SEED=\(seed)\(faults)"
  }

  /// The same with fewer faults, as long as something is broken all the same.
  var simplified: Case {
    var simple = self
    var index = 0
    while index < simple.plan.faults.count, simple.plan.faults.count > 1 {
      var fewer = simple
      fewer.plan = FaultPlan(simple.plan.faults.enumerated().filter { $0.offset != index }.map(\.element))
      if fewer.outcome().violations.isEmpty { index += 1 } else { simple = fewer }
    }
    return simple
  }
}

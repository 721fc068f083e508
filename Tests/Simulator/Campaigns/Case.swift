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
  var replay: String { "make simulate \(self)" }

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

extension Case: CustomStringConvertible {
  /// `SCENARIO=two-compete SEED=1 FAULTS=12:crash-after,30:409`
  var description: String {
    let faults = plan.faults.isEmpty ? "" : " FAULTS=\(plan)"
    return "SCENARIO=\(scenario.name) SEED=\(seed)\(faults)"
  }

  /// Reads what ``description`` has written.
  init?(_ text: String) {
    var values: [Substring: String] = [:]
    for part in text.split(separator: " ") {
      let pair = part.split(separator: "=", maxSplits: 1)
      guard pair.count == 2 else { return nil }
      values[pair[0]] = String(pair[1])
    }
    guard
      let scenario = Scenario.named(values["SCENARIO"] ?? ""), let seed = UInt64(values["SEED"] ?? ""),
      let plan = FaultPlan(values["FAULTS"] ?? "")
    else { return nil }
    self.init(scenario: scenario, seed: seed, plan: plan)
  }
}

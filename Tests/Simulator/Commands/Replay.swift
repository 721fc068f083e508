// `simulator replay`: one world, with everything that happens in it.

import ArgumentParser

/// Lives one world and prints its timeline.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Live one world and print its timeline.")

  @Option(help: "The scenario; the seed decides if there is none.") var scenario: String?
  @Option(help: "The seed.") var seed: UInt64 = Campaigns.baseSeed
  @Option(help: "Faults, 12:crash-after,30:409.") var faults: String?
  @Flag(help: "Print what was broken only.") var quiet = false

  func run() throws {
    var item = Campaigns.random(seed)
    if let scenario {
      guard let scenario = Scenario.named(scenario) else {
        throw ValidationError(
          "there is no scenario \(scenario); have \(Scenario.all.map(\.name).joined(separator: ", "))")
      }
      item = Case(scenario: scenario, seed: seed, plan: .none)
    }
    if let faults {
      guard let plan = FaultPlan(faults) else {
        throw ValidationError("--faults \(faults): write 12:crash-after,30:409")
      }
      item.plan = plan
    }
    let start = ContinuousClock.now
    let outcome = item.outcome(isRecording: !quiet)
    for line in outcome.timeline { print(line) }
    print(
      "\(item.scenario.name), seed \(seed), faults \(item.plan): \(outcome.calls) requests, \(outcome.events) jobs, "
        + "\(Timeline.format(outcome.simulated)) in \(ContinuousClock.now - start), fingerprint \(outcome.fingerprint)")
    for violation in outcome.violations { print("BROKEN \(violation)") }
    if !outcome.violations.isEmpty { throw ExitCode.failure }
  }
}

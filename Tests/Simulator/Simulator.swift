// simulator: the real operator in worlds where everything goes wrong, the same way for the same seed. Not shipped.

import ArgumentParser
import Glibc

@main
struct Simulator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulator",
    abstract: "Runs the real operator in simulated clusters and checks what it promises.",
    subcommands: [One.self])
}

struct One: ParsableCommand {
  @Argument var scenario: String
  @Option var seed: UInt64 = 1
  @Option var faults: String = ""
  @Flag var quiet = false

  func run() throws {
    guard let scenario = Scenario.named(scenario) else { throw ValidationError("no scenario \(scenario)") }
    guard let plan = FaultPlan(faults) else { throw ValidationError("no faults: \(faults)") }
    let start = ContinuousClock.now
    let outcome = World(scenario, seed: seed, plan: plan, isRecording: !quiet).live()
    for line in outcome.timeline { print(line) }
    print(
      "calls \(outcome.calls), jobs \(outcome.events), simulated \(Timeline.format(outcome.simulated)), \(ContinuousClock.now - start), \(outcome.fingerprint)"
    )
    for violation in outcome.violations { print("VIOLATED \(violation)") }
  }
}

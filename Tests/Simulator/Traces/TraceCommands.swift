// The commands that print what happens at the model server, and that compare it with a real one.

import ArgumentParser
import FoundationEssentials
import KubernetesModel

/// Which world.
struct WorldChoice: ParsableArguments {
  @Argument(help: "The scenario; rules is somebody who tries out what worlds seldom do.") var scenario: String?
  @Option(help: "The seed.") var seed: UInt64 = Campaigns.baseSeed
  @Option(help: "Faults, 12:crash-after,30:409.") var faults: String?
  @Option(help: "Instead of a scenario: the world that this seed makes up.") var random: UInt64?

  /// Its trace; `nil` if no world was chosen.
  func trace() throws -> Trace? {
    guard scenario != nil || random != nil else { return nil }
    if scenario == "rules" { return .rules() }
    var item = Campaigns.random(random ?? seed)
    if let name = scenario {
      guard let scenario = Scenario.named(name) else { throw ValidationError("there is no scenario \(name)") }
      item = Case(scenario: scenario, seed: seed, plan: .none)
    }
    if let faults {
      guard let plan = FaultPlan(faults) else {
        throw ValidationError("--faults \(faults): write 12:crash-after,30:409")
      }
      item.plan = plan
    }
    return Trace(of: item)
  }
}

/// What happens at the model server.
struct PrintTrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Print every operation on the model server of one world, as lines of JSON.")

  @OptionGroup var world: WorldChoice

  func run() throws {
    guard let trace = try world.trace() else { throw ValidationError("which world? SCENARIO or --random SEED") }
    for operation in trace.operations { print(operation.line) }
  }
}

/// Whether a real server says the same.
struct CompareWithReal: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Replay traces on the API server in KUBECONFIG, and compare what it says with the model.",
    discussion: "Without a world: every scenario, some with faults, and worlds by chance. Make test-model has a server."
  )

  @OptionGroup var world: WorldChoice
  @Option(help: "How many worlds by chance.") var worlds = 30
  @Option(help: "How many differences are shown.") var shown = 20

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let server = try RealServer(kubeconfig: environment["KUBECONFIG"], environment: environment)
    try await server.clean()
    let replayer = Replayer(server: server)
    let start = ContinuousClock.now
    var result = ReplayResult()
    if let trace = try world.trace() {
      try await replayer.replay(trace, into: &result)
    } else {
      try await replayer.replay(.rules(), into: &result)
      for item in Campaigns.compared(worlds: worlds) { try await replayer.replay(Trace(of: item), into: &result) }
    }
    server.closeWatches()
    for difference in result.differences.prefix(shown) { print("DIFFERENT \(difference)\n") }
    print(
      "compared with a real API server: \(result.traces) traces, \(result.operations) operations, "
        + "\(result.refusals) of them refused, "
        + "\(result.events) events of watches, \(result.differences.count) differences, "
        + "\(Int((ContinuousClock.now - start) / .seconds(1))) s")
    if !result.differences.isEmpty { throw ExitCode.failure }
  }
}

extension Campaigns {
  /// Worlds in which faults lead operators to requests that they would not make otherwise.
  static let comparedFaults: [(scenario: String, faults: String)] = [
    ("by-hand", "12:crash-after"), ("two-compete", "20:crash-after,40:expire"), ("scheduled", "15:wipe-locks"),
    ("trigger", "9:late-45"), ("cancel-sync", "25:crash-after"), ("timeout", "18:lost-answer,30:crash-after"),
    ("same-name-again", "30:watch-lag-90"), ("policy-deleted", "22:freeze-60"), ("locks-wiped", "25:duplicate-event"),
    ("twenty-compete", "60:wipe-locks,90:expire"), ("name-taken", "8:reset-after"), ("history", "50:late-45"),
    ("leader-killed", "20:freeze-60"), ("election", "10:freeze-20,40:reset-after"),
  ]

  /// What is compared with a real server.
  static func compared(worlds: Int) -> [Case] {
    let scenarios = Scenario.all.map { Case(scenario: $0, seed: baseSeed, plan: .none) }
    let faulty = comparedFaults.compactMap { item -> Case? in
      guard let scenario = Scenario.named(item.scenario), let plan = FaultPlan(item.faults) else { return nil }
      return Case(scenario: scenario, seed: baseSeed, plan: plan)
    }
    return scenarios + faulty + (0..<worlds).map { random(1000 + UInt64($0)) }
  }
}

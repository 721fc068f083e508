// simulator: the real operator in worlds where everything goes wrong, the same way for the same seed. Not shipped.

import ArgumentParser
import Glibc
import KubernetesModel

@main
struct Simulator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulator",
    abstract: "Runs the real operator in simulated clusters and checks what it promises.",
    subcommands: [Replay.self, Faults.self, Pairs.self, Worlds.self, PrintTrace.self, CompareWithReal.self])

  /// Sets and dictionaries have another order in each process unless they are told not to, and a world must go the same
  /// way in every process.
  static func main() async {
    if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
      setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
      let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
      execv("/proc/self/exe", arguments)
    }
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      exit(withError: error)
    }
  }
}

/// One world, with everything that happens in it.
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

/// Each fault at each request.
struct Faults: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Try every fault at every request of every scenario.")

  @Option(help: "Only scenarios whose names begin so.") var scenario = ""
  @Option(help: "Only every so manyth case.") var stride = 1

  func run() async throws {
    let scenarios = Scenario.all.filter { $0.name.hasPrefix(scenario) }
    let cases = Campaigns.singleFaults(scenarios, stride: stride)
    try Report.print("every fault at every request", await Campaign().run(cases.count) { cases[$0] })
  }
}

/// Two crashes.
struct Pairs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Try every pair of crashes in some scenarios.")

  @Option(help: "Only scenarios whose names begin so.") var scenario = ""
  @Option(help: "Only every so manyth case.") var stride = 1

  func run() async throws {
    let scenarios = Scenario.all.filter { Campaigns.paired.contains($0.name) && $0.name.hasPrefix(scenario) }
    let cases = Campaigns.pairsOfCrashes(scenarios).enumerated().filter { $0.offset % stride == 0 }.map(\.element)
    try Report.print("every pair of crashes", await Campaign().run(cases.count) { cases[$0] })
  }
}

/// Worlds by seed.
struct Worlds: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Live worlds by chance.")

  @Option(help: "The first seed.") var from: UInt64 = 1
  @Option(help: "How many.") var count = 20_000

  func run() async throws {
    let first = from
    try Report.print(
      "worlds by chance, seeds \(from) to \(from + UInt64(count) - 1)",
      await Campaign().run(count) { Campaigns.random(first + UInt64($0)) })
  }
}

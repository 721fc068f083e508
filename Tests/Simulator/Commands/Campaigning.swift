// `simulator faults`, `pairs`, `worlds`: one campaign each. `simulator prove`: all of them, as CI runs them.

import ArgumentParser
import KubernetesModel

/// Which part of a campaign to live.
struct Selection: ParsableArguments {
  @Option(help: "Only scenarios whose names begin so.") var scenario = ""
  @Option(help: "Only every so manyth case.") var stride = 1

  func scenarios(_ all: [Scenario]) -> [Scenario] { all.filter { $0.name.hasPrefix(scenario) } }

  func cases(_ all: [Case]) -> [Case] { all.enumerated().filter { $0.offset % stride == 0 }.map(\.element) }
}

/// Each fault at each request.
struct Faults: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Try every fault at every request of every scenario.")

  @OptionGroup var selection: Selection
  @Option(help: "Only faults whose names begin so, as in late-45.") var fault = ""

  func run() async throws {
    let faults = Fault.all.filter { "\($0)".hasPrefix(fault) }
    let cases = selection.cases(Campaigns.singleFaults(selection.scenarios(Scenario.all), faults))
    try Report.print("every fault at every request", await Campaign().run(cases.count) { cases[$0] })
  }
}

/// Two crashes.
struct Pairs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Try every pair of crashes in some scenarios.")

  @OptionGroup var selection: Selection

  func run() async throws {
    let cases = selection.cases(Campaigns.pairsOfCrashes(selection.scenarios(Campaigns.paired)))
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

/// Everything, or a part that is the same each time.
struct Prove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run every campaign.",
    discussion: "Without --whole only every --stride-th case of the exhaustive campaigns.")

  @Flag(help: "Every case of the exhaustive campaigns.") var whole = false
  @Option(help: "Of the exhaustive campaigns only every so manyth case.") var stride = 101
  @Option(help: "The first seed of the worlds by chance.") var from: UInt64 = 1
  @Option(help: "How many worlds by chance.") var worlds = 20_000

  func run() async throws {
    let stride = whole ? 1 : stride
    let first = from
    var isClean = true
    func prove(_ title: String, _ cases: [Case]) async {
      let result = await Campaign().run(cases.count) { cases[$0] }
      do { try Report.print(title, result) } catch { isClean = false }
    }
    await prove("every scenario without a fault", Campaigns.plain())
    let part = stride == 1 ? "" : " (1 in \(stride))"
    await prove("every fault at every request\(part)", sample(Campaigns.singleFaults(Scenario.all), stride))
    await prove("every pair of crashes\(part)", sample(Campaigns.pairsOfCrashes(Campaigns.paired), stride))
    await prove(
      "worlds by chance, seeds \(first) to \(first + UInt64(worlds) - 1)",
      (0..<worlds).map { Campaigns.random(first + UInt64($0)) })
    if !isClean { throw ExitCode.failure }
  }

  private func sample(_ cases: [Case], _ stride: Int) -> [Case] {
    cases.enumerated().filter { $0.offset % stride == 0 }.map(\.element)
  }
}

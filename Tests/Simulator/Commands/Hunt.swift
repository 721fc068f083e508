// `simulator hunt`: whether the campaigns catch a flaw that was put into the operator on purpose. One process hunts one
// mutant, which the environment variable MUTANT switches on in a build that has them (`Tests/Simulator/mutate`).

import ArgumentParser
import Glibc
import KubernetesModel

/// Lives worlds until one of them shows the flaw.
struct Hunt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Live worlds until something is broken; a mutant is to be caught.")

  @Option(help: "How many cases to try at most.") var limit = 4_000

  func run() async throws {
    let mutant = getenv("MUTANT").map { String(cString: $0) } ?? "none"
    var campaign = Campaign()
    campaign.stopsAtFailure = true
    var worlds = 0
    // Scenarios first: to know the requests that faults can strike takes a while.
    for makeCases in [Campaigns.plain, { Campaigns.spread(limit) }] {
      let cases = makeCases()
      let result = await campaign.run(cases.count) { cases[$0] }
      worlds += result.worlds
      guard let failure = result.failures.first else { continue }
      let simple = failure.failed.simplified
      let faults = simple.plan.faults.isEmpty ? "" : " \(simple.plan)"
      print("caught \(mutant) in world \(worlds): \(simple.scenario.name)\(faults): \(failure.violations[0])")
      return
    }
    print("SURVIVED \(mutant) in \(worlds) worlds")
    throw ExitCode.failure
  }
}

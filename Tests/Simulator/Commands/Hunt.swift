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
    let cases = Campaigns.hunt(limit: limit)
    var campaign = Campaign()
    campaign.stopsAtFailure = true
    let result = await campaign.run(cases.count) { cases[$0] }
    guard let failure = result.failures.first else {
      print("SURVIVED \(mutant) in \(result.worlds) worlds")
      throw ExitCode.failure
    }
    let simple = failure.failed.simplified
    print(
      "caught \(mutant) in world \(result.worlds): \(simple.scenario.name) \(simple.plan): \(failure.violations[0])")
  }
}

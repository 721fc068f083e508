// `simulator hunt`: whether the campaigns catch a flaw that was put into the operator on purpose. One process hunts one
// mutant, which the environment variable MUTANT switches on in a build that has them (`Tests/Simulator/mutate`).

import ArgumentParser
import Glibc
import KubernetesModel

/// Lives worlds until one of them shows the flaw.
struct Hunt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Live worlds until something is broken; a mutant is to be caught.")

  @Option(help: "The case to try first: what has caught it before, SCENARIO=evicted SEED=1 FAULTS=12:409.")
  var first: String?
  @Option(help: "How many cases with faults to try at most.") var limit = 4_000

  func run() async throws {
    let mutant = getenv("MUTANT").map { String(cString: $0) } ?? "none"
    var known: [Case] = []
    if let first {
      guard let item = Case(first) else { throw ValidationError("--first \(first): no such case") }
      known = [item]
    }
    var campaign = Campaign()
    campaign.stopsAtFailure = true
    var worlds = 0
    // To know the requests that faults can strike takes a while, so that comes last.
    for makeCases in [{ known }, Campaigns.plain, { Campaigns.spread(limit) }] {
      let cases = makeCases()
      let result = await campaign.run(cases.count) { cases[$0] }
      worlds += result.worlds
      guard let failure = result.failures.first else { continue }
      print("caught \(mutant) in world \(worlds): \(failure.failed.simplified): \(failure.violations[0])")
      return
    }
    print("SURVIVED \(mutant) in \(worlds) worlds")
    throw ExitCode.failure
  }
}

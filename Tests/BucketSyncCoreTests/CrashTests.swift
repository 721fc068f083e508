import BucketSyncCore
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

/// Every scenario is told without trouble first; then once for each request that was sent, and for each thing that can
/// go wrong with that request. Whatever happens, all promises hold (design.md section 7), and it ends as it must.
@Suite("Whatever request goes wrong")
struct CrashTests {
  static let faults: [Fault] = [
    .deathBefore, .deathAfter, .lostAnswer, .conflict, .serverError, .gatewayTimeout,
  ]

  @Test("without trouble everything ends as it must", arguments: Scenario.all, World.Pace.allCases)
  func undisturbed(_ scenario: Scenario, pace: World.Pace) async throws {
    let problems = try await tell(scenario, pace).problems
    #expect(problems == [])
  }

  @Test("all promises hold, and the story ends the same", arguments: Scenario.all, World.Pace.allCases)
  func disturbed(_ scenario: Scenario, pace: World.Pace) async throws {
    let count = try await tell(scenario, pace).requests.count
    var failures: [String] = []
    for number in 0..<count {
      for fault in Self.faults(forRequest: number, pace) {
        let story = try await tell(scenario, pace, at: number, fault)
        guard !story.problems.isEmpty, story.requests.count > number else { continue }
        failures.append("request \(number), \(story.requests[number]), \(fault): \(story.problems)")
      }
    }
    #expect(failures.isEmpty, "\(failures.count): \(failures.prefix(4).joined(separator: "\n"))")
  }

  /// All faults if `CRASH_TESTS=all`, which takes minutes; else one each, a different one in each pace and for each
  /// request, so that every request still suffers in three ways.
  private static func faults(forRequest number: Int, _ pace: World.Pace) -> [Fault] {
    if ProcessInfo.processInfo.environment["CRASH_TESTS"] == "all" { return faults }
    let offset = World.Pace.allCases.firstIndex(of: pace) ?? 0
    return [faults[(number + 2 * offset) % faults.count]]
  }

  private struct Story {
    var problems: [String]
    /// What the first incarnation sent.
    var requests: [FaultyConnection.Record]
  }

  private func tell(
    _ scenario: Scenario, _ pace: World.Pace, at number: Int? = nil, _ fault: Fault = .deathBefore
  ) async throws -> Story {
    let world = try World(pace: pace, plugins: scenario.plugins()) { index, request in
      // Nobody answers a read with a conflict.
      index == number && !(fault == .conflict && request.method == .get) ? fault : nil
    }
    let first = world.incarnation
    do {
      try scenario.begin(world)
      try await world.run()
      let problems = try await scenario.check(world) + world.brokenPromises()
      return Story(problems: problems, requests: first.connection.sent)
    } catch let livelock as Livelock {
      return Story(problems: [livelock.description], requests: first.connection.sent)
    }
  }
}

import Foundation
import KubernetesModel
import TestSupport
import Testing

/// Whatever the definitions in the chart admit comes to an end: it is carried out, or what is wrong with it is said.
///
///     OBJECTS=100000 swift test --skip-build --filter AdmittedObjectsTests    more of them
///     SEED=17 swift test --skip-build --filter AdmittedObjectsTests           the objects of one seed
///
/// One after the other, and with pauses: all tests share as many threads as there are cores.
@Suite("Any object that the schema admits", .serialized, .timeLimit(.minutes(60)))
struct AdmittedObjectsTests {
  @Test("comes to rest with a status that the schema admits and that names what is wrong", arguments: 0..<4)
  func comesToRest(shard: Int) async throws {
    let policies = try Definition.policies()
    let runs = try Definition.runs()
    let seeds = Trials.seeds(Trials.count("OBJECTS", usual: 2000) / 4).filter {
      Trials.onlySeed.map { _ in shard == 0 } ?? ($0 % 4 == UInt64(shard))
    }
    var failures: [String] = []
    var objects = 0
    var outcomes: [String: Int] = [:]
    for seed in seeds where failures.count < 10 {
      await Task.yield()
      let story = try AdmittedStory(seed: seed, policies: policies, runs: runs)
      try await story.tell()
      objects += story.count
      for outcome in story.outcomes { outcomes[outcome, default: 0] += 1 }
      if !story.problems.isEmpty {
        failures.append("SEED=\(seed): \(story.problems.prefix(3).joined(separator: " | "))")
      }
    }
    let summary = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    print("admitted objects: \(objects) of \(seeds.count) seeds; in the end \(summary)")
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
  }
}

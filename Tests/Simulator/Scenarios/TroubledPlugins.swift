// Plugins that hold runs back, fail, and are repaired.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel

extension Scenario {
  static let troubled: [Scenario] = [
    Scenario("hook-waits", "a plugin holds a run back for a while; others pass") { user in
      user.at(1) { user.run("held", from: "a", to: "b") }
      user.at(2) { user.run("other", from: "b", to: "c") }
    }.with {
      $0.plugins = {
        [Troublesome(preLock: { $0 == "held" && $1 < 4 ? .wait(reason: "not yet", after: .seconds(10)) : .proceed })]
      }
    },
    Scenario("hook-rejects", "a plugin rejects one run and skips another") { user in
      user.at(1) {
        user.run("rejected", from: "a", to: "b")
        user.run("skipped", from: "a", to: "c")
        user.run("other", from: "a", to: "d")
      }
    }.with {
      $0.plugins = {
        [
          Troublesome(preLock: { name, _ in
            switch name {
            case "rejected": .reject(reason: "no")
            case "skipped": .skip(reason: "nothing to do")
            default: .proceed
            }
          })
        ]
      }
    },
    Scenario("hook-fails", "a plugin fails for a while when it builds the Job; others pass", duration: .seconds(400)) {
      user in
      user.at(1) { user.run("broken", from: "a", to: "b") }
      user.at(2) { user.run("other", from: "b", to: "c") }
    }.with { $0.plugins = { [Troublesome(failsToBuild: { $0 == "broken" && $1 < 6 })] } },
    Scenario("hook-fails-later", "a plugin fails once the locks are held, after a crash") { user in
      user.at(1) { user.run("once") }
      user.when("once", is: .sync) { user.kill("operator-0") }
    }.with { $0.plugins = { [Troublesome(failsToBuild: { _, attempt in attempt == 1 })] } },
    Scenario("post-sync-fails", "a plugin fails once the run has ended") { user in
      user.at(1) { user.run("once") }
      user.at(2) { user.run("next", from: "b", to: "c") }
    }.with { $0.plugins = { [Troublesome(failsPostSync: true)] } },
  ]
}

/// A plugin that makes trouble, by the run's name and how often it was asked before.
private final class Troublesome: Plugin, PreLockHook, JobTransformer, PostSyncHook, @unchecked Sendable {
  // Only ever touched by the thread of its world.
  let name = "Troublesome"
  private let decide: (String, Int) -> PreLockResult
  private let failsToBuild: (String, Int) -> Bool
  private let failsPostSync: Bool
  private var asked: [String: Int] = [:]

  init(
    preLock: @escaping (String, Int) -> PreLockResult = { _, _ in .proceed },
    failsToBuild: @escaping (String, Int) -> Bool = { _, _ in false }, failsPostSync: Bool = false
  ) {
    decide = preLock
    self.failsToBuild = failsToBuild
    self.failsPostSync = failsPostSync
  }

  func register(with setup: inout PluginSetup) throws {
    setup.preLock(self)
    setup.transformJob(self)
    setup.postSync(self)
  }

  func preLock(_ run: RunContext) async throws -> PreLockResult {
    decide(run.run.metadata.name, count("preLock", run))
  }

  func buildJob(_ run: RunContext, job: JobManifest) async throws -> JobManifest {
    if failsToBuild(run.run.metadata.name, count("buildJob", run)) { throw Trouble(description: "it does not work") }
    return job
  }

  func postSync(_ run: RunContext, outcome: RunOutcome) async throws -> PostSyncReport {
    if failsPostSync { throw Trouble(description: "nobody answers") }
    return PostSyncReport()
  }

  private func count(_ point: String, _ run: RunContext) -> Int {
    defer { asked["\(point) \(run.run.metadata.name)", default: 0] += 1 }
    return asked["\(point) \(run.run.metadata.name)", default: 0]
  }

  private struct Trouble: Error, CustomStringConvertible {
    let description: String
  }
}

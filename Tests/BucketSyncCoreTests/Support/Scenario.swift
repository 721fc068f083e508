// Stories that are told again and again, each time with something else going wrong.

import BucketSyncAPI
import BucketSyncCore
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

/// A story: how it begins, what people do in it, and what must have come of it in the end.
struct Scenario: Sendable, CustomTestStringConvertible {
  let name: String
  var plugins: @Sendable () -> [any Plugin] = { [] }
  let begin: @Sendable (World) throws -> Void
  /// What is wrong in the end, apart from what must always hold.
  let check: @Sendable (World) -> [String]

  var testDescription: String { name }

  static let all: [Scenario] = [
    tick, trigger, failure, sharedBuckets, cancelledWhileRunning, deletedWhileWaiting, policyDeleted, foreignJob,
    timeout, forgottenDeadline, forgottenPod,
    skipped, history, changedTrigger,
  ]

  static let tick = Scenario(
    name: "a tick", begin: { try $0.createPolicy("nightly") },
    check: { $0.unexpected(["nightly-1705284000": .succeeded]) })

  static let trigger = Scenario(
    name: "a trigger", begin: { try $0.createPolicy("p", schedule: "@yearly", syncNow: "") },
    check: { $0.unexpected(manual: [.succeeded]) })

  static let failure = Scenario(
    name: "a failing run",
    begin: { world in
      world.cluster.jobs(named: "nightly", .fails(exitCode: 3, log: "ERROR : directory not found"))
      try world.createPolicy("nightly")
    },
    check: { world in
      let error = world.runs.first?.status?.error ?? ""
      return world.unexpected(["nightly-1705284000": .failed])
        + (error.contains("exit code 3") ? [] : ["the error says: \(error)"])
    })

  static let sharedBuckets = Scenario(
    name: "runs there and back, and one that shares a bucket",
    begin: { world in
      try world.createRun("there", from: "x", to: "y")
      try world.createRun("back", from: "y/1", to: "x/1")
      try world.createRun("other", from: "y/2", to: "z")
    },
    check: { $0.unexpected(["there": .succeeded, "back": .succeeded, "other": .succeeded]) })

  static let cancelledWhileRunning = Scenario(
    name: "a run deleted while its pod runs, and another waits",
    begin: { world in
      world.cluster.jobs(named: "long", .runsForEver)
      try world.createRun("long")
      try world.createRun("next", from: "b", to: "c")
      world.steps = [.init(when: { $0.isLive("long") && $0.run("next") != nil }, act: { $0.deleteRun("long") })]
    },
    check: { $0.unexpected(["next": .succeeded]) })

  static let deletedWhileWaiting = Scenario(
    name: "a run deleted while it waits in line",
    begin: { world in
      world.cluster.jobs(named: "first", .runsForEver)
      try world.createRun("first")
      try world.createRun("second")
      try world.createRun("third")
      world.steps = [
        .init(when: { $0.isLive("first") }, act: { $0.deleteRun("second") }),
        .init(when: { _ in true }, act: { $0.cluster.jobs(named: "first", .succeeds) }),
      ]
    },
    check: { $0.unexpected(["first": .succeeded, "third": .succeeded]) })

  static let policyDeleted = Scenario(
    name: "a policy deleted while its run is active",
    begin: { world in
      world.cluster.jobs(named: "nightly", .runsForEver)
      try world.createPolicy("nightly")
      world.steps = [
        .init(when: { $0.isLive("nightly") }, act: { $0.server.delete(BucketSyncPolicy.self, .named("nightly")) })
      ]
    },
    check: { $0.unexpected([:]) })

  static let foreignJob = Scenario(
    name: "a Job of the same name that belongs to somebody else",
    begin: { world in
      var metadata = ObjectMeta(name: "nightly-1705284000", namespace: "default")
      metadata.labels = [BucketSyncNames.Label.managedBy: BucketSyncNames.controller]
      try world.createForeign(Job(metadata: metadata))
      try world.createPolicy("nightly")
    },
    check: { $0.unexpected(["nightly-1705284000": .failed]) })

  static let timeout = Scenario(
    name: "a run that takes too long",
    begin: { world in
      world.cluster.jobs(named: "nightly", .runsForEver)
      try world.createPolicy("nightly", timeout: "5m")
    },
    check: { $0.unexpected(["nightly-1705284000": .failed]) })

  static let forgottenDeadline = Scenario(
    name: "a run that takes too long, which the Job controller does not notice",
    begin: { world in
      world.cluster.lose(.deadlines)
      try timeout.begin(world)
    },
    check: timeout.check)

  static let forgottenPod = Scenario(
    name: "a run that takes too long, whose pod the Job controller fails to delete",
    begin: { world in
      world.cluster.lose(.podDeletions)
      try timeout.begin(world)
    },
    check: timeout.check)

  static let skipped = Scenario(
    name: "a run that a plugin makes wait and then skips",
    plugins: {
      [
        Gatekeeper { run in
          run.run.status?.phase == nil ? .wait(reason: "later", after: .seconds(60)) : .skip(reason: "no")
        }
      ]
    },
    begin: { try $0.createPolicy("nightly") },
    check: { $0.unexpected(["nightly-1705284000": .skipped]) })

  static let history = Scenario(
    name: "a history of one",
    begin: { world in
      try world.createPolicy("p", schedule: "0,10 2 * * *", limit: 1)
    },
    // Two ticks are within reach.
    check: { world in
      let runs = world.runs.map(\.metadata.name)
      return runs.count == 1 ? [] : ["runs: \(runs)"]
    })

  static let changedTrigger = Scenario(
    name: "a trigger set again while its run is active",
    begin: { world in
      world.cluster.jobs(named: "p-manual", .runsForEver)
      try world.createPolicy("p", schedule: "@yearly", syncNow: "one")
      world.steps = [
        .init(when: { $0.isLive("p-manual") }, act: { $0.trigger("p", "two") }),
        .init(when: { _ in true }, act: { $0.cluster.jobs(named: "p-manual", .succeeds) }),
      ]
    },
    check: { $0.unexpected(manual: [.succeeded, .succeeded]) })
}

extension World {
  /// How runs differ from what was expected.
  func unexpected(_ expected: [String: BucketSync.Result]) -> [String] {
    let found = Dictionary(uniqueKeysWithValues: runs.map { ($0.metadata.name, $0.status?.result) })
    return found == expected.mapValues { $0 } ? [] : ["runs: \(found.mapValues { $0?.rawValue ?? "none" })"]
  }

  func unexpected(manual expected: [BucketSync.Result]) -> [String] {
    let found = runs.filter { $0.metadata.labels?[BucketSyncNames.Label.trigger] == "manual" }.map { $0.status?.result }
    return found == expected ? [] : ["manual runs: \(found.map { $0?.rawValue ?? "none" })"]
  }
}

// Policies over their life: edited, suspended, with a history.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

@Suite("How policies behave", .enabled(if: Testbed.hasEndpoints))
struct PolicyTests {
  @Test func theHistoryLimitCountsFinishedRunsOfThatPolicyOnly() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      try await world.create(world.run("by-hand", from: source, to: destination))
      try await world.success(of: "by-hand")
      var other = world.policy("other", from: source, to: destination)
      other.metadata.annotations = [BucketSyncNames.Annotation.syncNow: ""]
      try await world.create(other)
      var policy = world.policy("nightly", from: source, to: destination)
      policy.spec.syncHistoryLimit = 2
      try await world.create(policy)

      var made: [String] = []
      for round in 1...4 {
        try await world.syncNow("nightly", "\(round)")
        try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
          $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil
        }
        made.append(try #require(try await world.get(BucketSyncPolicy.self, "nightly").status?.lastManualRun))
      }
      try await until("two runs are left") { try await world.runs(of: "nightly").count == 2 }
      #expect(try await Set(world.runs(of: "nightly").map(\.metadata.name)) == Set(made.suffix(2)))
      #expect(try await world.find(BucketSync.self, "by-hand") != nil)
      #expect(try await world.runs(of: "other").count == 1)
    }
  }

  @Test func aSuspendedPolicyMakesNoScheduledRunsAndCatchesNoneUp() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      var policy = world.policy("often", from: source, to: destination, schedule: "@every 2s")
      policy.spec.suspend = true
      try await world.create(policy)
      try await world.wait(for: BucketSyncPolicy.self, "often", "says that it is suspended") {
        $0.condition("Ready")?.reason == "Suspended"
      }
      try await Task.sleep(for: .seconds(5))
      #expect(try await world.runs(of: "often").isEmpty)
      // A trigger works all the same.
      try await world.syncNow("often")
      let manual = try await world.onlyRun(of: "often").metadata.name
      try await world.success(of: manual)

      try await world.suspend("often", false)
      let resumed = Timestamp(.now)
      try await until("it makes scheduled runs again") { try await world.runs(of: "often").count > 1 }
      try await world.suspend("often")
      try await until("all runs have ended") { try await world.runs(of: "often").allSatisfy(\.isFinished) }
      for run in try await world.runs(of: "often") where run.metadata.name != manual {
        let tick = try #require(
          run.metadata.annotations?[BucketSyncNames.Annotation.scheduledAt].flatMap { Timestamp($0) })
        #expect(tick.unixSeconds >= resumed.unixSeconds - 1)
      }
    }
  }

  @Test func namesThatGrowTooLongAreShortened() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      try await world.startController()
      let name = String(repeating: "long-", count: 44) + "name"
      try await world.create(world.policy(name, from: source, to: destination))
      try await world.create(world.policy(name + "-2", from: source, to: destination))
      try await world.syncNow(name)
      try await world.syncNow(name + "-2")
      let one = try await world.onlyRun(of: name).metadata.name
      let two = try await world.onlyRun(of: name + "-2").metadata.name
      #expect(one != two)
      for run in [one, two] {
        #expect(run.utf8.count <= 63)
        try await world.success(of: run)
      }
      #expect(try destination.objects() == source.objects())
      // A run that a person made may have a name that is too long for a Job.
      try await world.create(world.run(name, from: source, to: destination))
      let job = try #require(try await world.success(of: name).status?.job)
      #expect(job.utf8.count <= 63)
    }
  }

  @Test func aWrongSpecIsExplainedAndMakesNoRunUntilItIsMended() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      let wrongs: [(name: String, change: (inout BucketSyncPolicy.Spec) -> Void, words: String)] = [
        ("cron", { $0.schedule = "61 * * * *" }, "61"),
        ("date", { $0.schedule = "0 0 30 2 *" }, "spec.schedule"),
        ("remote", { $0.source = "elsewhere:bucket" }, "elsewhere"),
        ("equal", { $0.destination = $0.source }, "is the same as"),
        ("nested", { $0.destination = $0.source + "/below" }, "lies inside of"),
        ("duplicate", { $0.sourceEnv?.append(EnvVar(name: "TYPE", value: "s3")) }, "TYPE is already set"),
        ("label", { $0.jobLabels = ["controller-uid": "mine"] }, "controller-uid"),
        ("label-domain", { $0.jobLabels = ["batch.kubernetes.io/x": "mine"] }, "reserved"),
        ("timeout", { $0.timeout = "soon" }, "spec.timeout"),
      ]
      for wrong in wrongs {
        var policy = world.policy(wrong.name, from: source, to: destination)
        wrong.change(&policy.spec)
        do { try await world.create(policy) } catch let error as APIError where error.isInvalid {
          // Refused by the API server at once, which is better still, as long as it says what for.
          #expect("\(error)".contains("spec."))
          continue
        }
        let answer = try await world.wait(for: BucketSyncPolicy.self, wrong.name, "is not ready") {
          $0.condition("Ready")?.status == .no
        }
        #expect(answer.status?.error?.contains(wrong.words) == true, "\(wrong.name): \(answer.status?.error ?? "-")")
        #expect(answer.condition("Ready")?.message == answer.status?.error)
        #expect(answer.status?.nextSyncTime == nil)
        try await world.syncNow(wrong.name)
      }
      try await Task.sleep(for: .seconds(1))
      #expect(try await world.all(BucketSync.self).isEmpty)

      try await world.change("cron", ["schedule": "0 0 29 2 *"])
      let mended = try await world.wait(for: BucketSyncPolicy.self, "cron", "is ready") {
        $0.condition("Ready")?.status == .yes
      }
      #expect(mended.status?.error == nil)
      #expect(mended.status?.nextSyncTime != nil)
      // The trigger that came before is not lost.
      try await world.success(of: try await world.onlyRun(of: "cron").metadata.name)
    }
  }

  @Test func aRunWithAWrongSpecFailsAtOnce() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      var run = world.run("once", from: source, to: destination)
      run.spec.destination = source.name + "/below"
      run.spec.sourceEnv?.append(EnvVar(name: "TYPE", value: "local"))
      try await world.create(run)
      let (finished, error) = try await world.failure(of: "once")
      #expect(error.contains("lies inside of"))
      #expect(error.contains("TYPE is already set"))
      #expect(finished.condition("Failed")?.reason == "InvalidSpec")
      #expect(world.history.jobs.isEmpty)
    }
  }
}

@Suite("Policies with a run at work", .enabled(if: Testbed.hasNetwork))
struct ActivePolicyTests {
  @Test func anEditedPolicyLeavesItsRunAsItIs() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let elsewhere = try await world.bucket("elsewhere", at: "C")
      try await world.startController()
      try await world.create(world.policy("nightly", from: sync.source, to: sync.destination))
      try await world.syncNow("nightly", "before")
      let run = try await world.onlyRun(of: "nightly").metadata.name
      try await world.rcloneRunning(run)
      try await world.change(
        "nightly",
        [
          "destination": .string(elsewhere.name),
          "destinationEnv": try JSONValue(encoding: elsewhere.endpoint.variables),
        ])
      try await world.syncNow("nightly", "after")
      sync.release()
      let first = try await world.success(of: run)
      #expect(first.spec.destination == sync.destination.name)
      try await until("both runs have ended") {
        let runs = try await world.runs(of: "nightly")
        return runs.count == 2 && runs.allSatisfy(\.isFinished)
      }
      #expect(try sync.destination.objects() == sync.source.objects())
      #expect(try elsewhere.objects() == sync.source.objects())
    }
  }

  @Test func aSuspendedPolicyLetsItsRunFinish() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.policy("nightly", from: sync.source, to: sync.destination))
      try await world.syncNow("nightly")
      let run = try await world.onlyRun(of: "nightly").metadata.name
      try await world.rcloneRunning(run)
      try await world.suspend("nightly")
      sync.release()
      try await world.success(of: run)
    }
  }
}

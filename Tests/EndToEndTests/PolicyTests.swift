// Policies over their life: edited, suspended, with a history.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

@Suite("How policies behave", .enabled(if: Testbed.hasEndpoints), .explained)
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
          run.metadata.annotations?[BucketSyncNames.Annotation.scheduledAt].flatMap { Timestamp($0) }
        )
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
}

@Suite("What happened while no controller was there", .enabled(if: Testbed.hasEndpoints), .explained)
struct AbsenceTests {
  @Test func missedTicksCollapseIntoTheLatestOne() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      let policy = try await world.create(
        world.policy("yearly", from: source, to: destination, schedule: "0 0 1 1 *")
      )
      // The last controller promised a run years ago, and has not been seen since.
      let status: JSONValue = ["status": ["nextSyncTime": "2021-01-01T00:00:00Z", "observedGeneration": 1]]
      _ = try await world.client.patch(BucketSyncPolicy.self, policy.key, .merge(status), subresource: .status)
      try await world.startController()
      let year = Timestamp(.now).description.prefix(4)
      let tick = try #require(Timestamp("\(year)-01-01T00:00:00Z"))
      try await world.success(of: "yearly-\(tick.unixSeconds)")
      #expect(try await world.runs(of: "yearly").count == 1)
      let next = try #require(try await world.get(BucketSyncPolicy.self, "yearly").status?.nextSyncTime)
      #expect(next.description.dropFirst(4) == "-01-01T00:00:00Z")
      #expect(next > tick)
    }
  }

  @Test func aTriggerIsNotLost() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.create(world.policy("nightly", from: source, to: destination))
      try await world.syncNow("nightly")
      try await world.startController()
      try await world.success(of: try await world.onlyRun(of: "nightly").metadata.name)
    }
  }
}

@Suite("Policies with a run at work", .enabled(if: Testbed.hasNetwork), .explained)
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
        ]
      )
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

// The main job: objects arrive in a destination bucket because a policy said so.

import BucketSyncAPI
import KubernetesModel
import Testing

@Suite("What a sync does", .enabled(if: Testbed.hasEndpoints), .explained)
struct FirstSyncTests {
  @Test func aNewPolicyThatIsTriggeredCopiesEveryObject() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      for number in 0..<20 { try source.write("folder \(number % 3)/object-\(number)", "content \(number)") }
      try await world.startController()
      try await world.create(world.policy("nightly", from: source, to: destination))
      try await world.syncNow("nightly")

      let run = try await world.onlyRun(of: "nightly").metadata.name
      try await world.kubectl("wait", "--for=condition=Complete", "--timeout=120s", "bucketsync/\(run)")
      #expect(try destination.objects() == source.objects())
      #expect(run.hasPrefix("nightly-manual-"))

      let finished = try await world.success(of: run)
      #expect(finished.condition("Complete")?.status == .yes)
      #expect(finished.condition("LocksAcquired")?.status == .no)
      #expect(finished.status?.error == nil)
      #expect(finished.status?.finishTime != nil)
      let policy = try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
        $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil && $0.status?.active == 0
      }
      #expect(policy.metadata.annotations?[BucketSyncNames.Annotation.syncNowRun] == nil)
      #expect(policy.status?.lastSuccessfulTime == finished.status?.finishTime)
      #expect(policy.status?.lastManualRun == run)
    }
  }

  @Test func aTickOfTheScheduleMakesARunThatIsNamedAfterIt() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      try await world.startController()
      try await world.create(world.policy("often", from: source, to: destination, schedule: "@every 5s"))
      let promised = try await world.wait(for: BucketSyncPolicy.self, "often", "knows its next tick") {
        $0.status?.nextSyncTime != nil
      }
      let tick = try #require(promised.status?.nextSyncTime)

      let run = try await world.success(of: "often-\(tick.unixSeconds)")
      #expect(run.metadata.annotations?[BucketSyncNames.Annotation.scheduledAt] == tick.description)
      #expect(run.metadata.labels?[BucketSyncNames.Label.trigger] == "scheduled")
      #expect(try destination.objects() == source.objects())
      try await world.suspend("often")
      let policy = try await world.wait(for: BucketSyncPolicy.self, "often", "is suspended") {
        $0.status?.nextSyncTime == nil && $0.status?.active == 0
      }
      #expect(try #require(policy.status?.lastScheduleTime) >= tick)
      // No run without a tick, and five seconds from tick to tick.
      for run in try await world.runs(of: "often") {
        let made = try #require(Int64(run.metadata.name.dropFirst("often-".count)))
        #expect((made - tick.unixSeconds) % 5 == 0)
      }
    }
  }

  @Test func cronExpressionsTickAtFullMinutes() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      try await world.create(world.policy("minutely", from: source, to: destination, schedule: "* * * * *"))
      let run = try await world.onlyRun(of: "minutely")
      try await world.suspend("minutely")
      let tick = try #require(Int64(run.metadata.name.dropFirst("minutely-".count)))
      #expect(tick % 60 == 0)
      #expect(
        tick > (try await world.get(BucketSyncPolicy.self, "minutely").metadata.creationTimestamp?.unixSeconds ?? 0)
      )
      try await world.success(of: run.metadata.name)
    }
  }

  @Test func changedAndDeletedObjectsFollow() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("stays", "as it is")
      try source.write("changes", "before")
      try source.write("goes", "away")
      try destination.write("was never in the source", "and goes")
      try await world.startController()
      try await world.create(world.run("first", from: source, to: destination))
      try await world.success(of: "first")
      #expect(try destination.objects() == source.objects())

      try source.write("changes", "after, and longer")
      try source.write("comes", "new")
      try source.remove("goes")
      try await world.create(world.run("second", from: source, to: destination))
      try await world.success(of: "second")
      #expect(try destination.objects() == source.objects())
      #expect(try Set(destination.objects().keys) == ["stays", "changes", "comes"])
    }
  }

  @Test func anEmptySourceEmptiesTheDestination() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try destination.write("object", "content")
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      #expect(try destination.objects().isEmpty)
    }
  }

  @Test func namesOfObjectsMayHoldSpacesAndAnyUnicode() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      for name in ["with space", "ünïcödé/文件 名.txt", "emoji 🚀", "a+b&c=d%20e", "quote'\"s", "$(HOME) `x` \\y"] {
        try source.write(name, "content of \(name)")
      }
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }

  @Test func prefixesAndTheNotationWithRemotesWork() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("wanted/deep/object", "content")
      try source.write("unwanted/object", "other content")
      try destination.write("untouched", "neighbour")
      try await world.startController()
      var run = world.run("once", from: source, to: destination)
      run.spec.source = "source:\(source.name)/wanted"
      run.spec.destination = "destination:\(destination.name)/copies/here"
      try await world.create(run)
      try await world.success(of: "once")
      #expect(try Set(destination.objects().keys) == ["untouched", "copies/here/deep/object"])
    }
  }

  @Test func settingsMayComeFromConfigMaps() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      try await world.create(
        ConfigMap(
          metadata: ObjectMeta(name: "settings", namespace: world.namespace),
          data: ["address": source.endpoint.address]
        )
      )
      try await world.startController()
      var run = world.run("once", from: source, to: destination)
      run.spec.sourceEnv = run.spec.sourceEnv?.map { variable in
        variable.name == "ENDPOINT"
          ? EnvVar(name: "ENDPOINT", valueFrom: ["configMapKeyRef": ["name": "settings", "key": "address"]]) : variable
      }
      try await world.create(run)
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }
}

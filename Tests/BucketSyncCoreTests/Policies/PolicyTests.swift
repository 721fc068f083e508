import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("Policies")
struct PolicyTests {
  private func manualRuns(_ world: World) -> [BucketSync] {
    world.runs.filter { $0.metadata.labels?[BucketSyncNames.Label.trigger] == "manual" }
  }

  @Test("a trigger makes one run, and goes when that has finished")
  func trigger() async throws {
    let world = try World()
    world.cluster.jobs(named: "p-manual", .runsForEver)
    try world.createPolicy("p", schedule: "@yearly", syncNow: "please")
    try await world.run()
    #expect(manualRuns(world).count == 1)
    #expect(world.policy("p")?.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == "please")
    #expect(world.policy("p")?.status?.active == 1)
    world.cluster.jobs(named: "p-manual", .succeeds)
    try await world.run()
    #expect(world.policy("p")?.metadata.annotations?.keys.contains { $0.contains("sync-now") } != true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a trigger whose run is deleted is answered, not repeated")
  func triggeredRunDeleted() async throws {
    let world = try World()
    world.cluster.jobs(named: "p-manual", .runsForEver)
    try world.createPolicy("p", schedule: "@yearly", syncNow: "")
    try await world.run()
    world.deleteRun(try #require(manualRuns(world).first).metadata.name)
    try await world.run()
    #expect(world.runs.isEmpty)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run that is deleted before its creation was answered is not made again", arguments: [nil, "go"])
  func deletedBeforeAnswer(syncNow: String?) async throws {
    let world = try World(fault: { _, request in
      request.method == .post && request.path.hasSuffix("/bucketsyncs") ? .lostAnswer : nil
    })
    try world.createPolicy("p", schedule: syncNow == nil ? "0 2 * * *" : "@yearly", syncNow: syncNow)
    world.steps = [
      World.Step(when: { !$0.runs.isEmpty }) { world in
        for run in world.runs {
          world.server.change(BucketSync.self, run.key) { $0["metadata"]["finalizers"] = [] }
          world.server.delete(BucketSync.self, run.key)
        }
      }
    ]
    try await world.run()
    #expect(world.steps.isEmpty)
    #expect(world.runs.isEmpty)
    #expect(world.policy("p")?.metadata.annotations?.keys.contains { $0.contains("sync-now") } != true)
  }

  @Test("a trigger taken back lets its run end, and makes no other")
  func takenBack() async throws {
    let world = try World()
    world.cluster.jobs(named: "p-manual", .runsForEver)
    try world.createPolicy("p", schedule: "@yearly", syncNow: "x")
    try await world.run()
    world.server.change(BucketSyncPolicy.self, .named("p")) {
      $0["metadata"]["annotations"].removeMember(BucketSyncNames.Annotation.syncNow)
    }
    world.cluster.jobs(named: "p-manual", .succeeds)
    try await world.run()
    #expect(manualRuns(world).map { $0.status?.result } == [.succeeded])
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a suspended policy still answers triggers")
  func suspendedTrigger() async throws {
    let world = try World()
    try world.createPolicy("p", suspend: true, syncNow: "")
    try await world.run()
    #expect(world.runs.count == 1)
    #expect(world.policy("p")?.status?.nextSyncTime == nil)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("ticks during a long run leave one run waiting")
  func oneWaits() async throws {
    let world = try World()
    world.cluster.jobs(named: "p", .runsForEver)
    try world.createPolicy("p", schedule: "*/5 * * * *")
    try await world.run(for: .seconds(3600))
    #expect(world.runs.count == 2)
    #expect(world.runs.count { $0.status?.phase == .sync } == 1)
  }

  @Test("what is wrong is said, and taken back when it is mended")
  func badSchedule() async throws {
    let world = try World()
    try world.createPolicy("p", schedule: "61 * * * *")
    try await world.run(for: .seconds(5))
    let bad = try #require(world.policy("p")?.status)
    #expect(bad.error?.contains("spec.schedule") == true)
    #expect(bad.conditions?["Ready"]?.status == .no)
    #expect(bad.nextSyncTime == nil)
    world.server.change(BucketSyncPolicy.self, .named("p")) { $0["spec"]["schedule"] = "@daily" }
    try await world.run(for: .seconds(5))
    let good = try #require(world.policy("p")?.status)
    #expect(good.error == nil)
    #expect(good.conditions?["Ready"]?.status == .yes)
    #expect(good.nextSyncTime?.description == "2024-01-16T00:00:00Z")
  }

  @Test("a history keeps the newest finished runs of its own policy")
  func history() async throws {
    let world = try World()
    try world.createRun("by-hand", from: "m", to: "n")
    try world.createPolicy("other", from: "k", to: "l")
    try world.createPolicy("p", schedule: "0-4 2 * * *", limit: 2)
    try await world.run()
    #expect(world.runs.map(\.metadata.name) == ["by-hand", "other-1705284000", "p-1705284180", "p-1705284240"])
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run of somebody else in the way of a tick is left alone and reported, and the next tick works")
  func nameTaken() async throws {
    let world = try World()
    var run = BucketSync(
      metadata: ObjectMeta(name: "p-1705284000", namespace: "default"), spec: .init(source: "k", destination: "l"))
    run.status = .init()
    run.status?.phase = .finished
    try world.createForeign(run)
    try world.createPolicy("p", schedule: "0,10 2 * * *")
    try await world.run(for: .seconds(60))
    #expect(world.policy("p")?.status?.error?.contains("p-1705284000") == true)
    try await world.run()
    #expect(world.run("p-1705284600")?.status?.result == .succeeded)
    #expect(world.policy("p")?.status?.error == nil)
  }

  @Test("runs that a quota forbids are told of in the policy, and made once it allows them", arguments: [nil, "now"])
  func quota(syncNow: String?) async throws {
    let isFull = Atomic(true)
    let world = try World { _, request in
      guard isFull.load(ordering: .relaxed), request.method == .post, request.path.hasSuffix("/bucketsyncs") else {
        return nil
      }
      return .refused(Refusal(403, "Forbidden", "exceeded quota: runs"))
    }
    try world.createPolicy("p", schedule: syncNow == nil ? "0 2 * * *" : "@yearly", syncNow: syncNow)
    try await world.run(for: .seconds(60))
    #expect(world.runs.isEmpty)
    #expect(world.policy("p")?.status?.error?.contains("exceeded quota: runs") == true)
    #expect(world.policy("p")?.status?.conditions?[BucketSyncPolicy.ConditionType.ready]?.reason == "RunNotCreated")
    isFull.store(false, ordering: .relaxed)
    try await world.run()
    #expect(world.runs.map { $0.status?.result } == [.succeeded])
    #expect(world.policy("p")?.status?.error == nil)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("an operator that was down makes up for the latest tick only")
  func down() async throws {
    let world = try World()
    try world.createPolicy("p", schedule: "@hourly")
    try await world.run(for: .seconds(60))
    world.time.advance(by: .seconds(5 * 3600))
    try world.restart()
    try await world.run(for: .seconds(60))
    #expect(world.runs.map(\.metadata.name) == ["p-1705284000", "p-1705302000"])
  }

  @Test("a clock that goes back makes no run twice, and the policy says so until it has caught up")
  func clockBack() async throws {
    let world = try World()
    try world.createPolicy("p", schedule: "@hourly")
    try await world.run(for: .seconds(60))
    let runs = world.runs.map(\.metadata.name)
    world.time.jump(by: .seconds(-1800))
    try world.restart()
    try await world.run(for: .seconds(1))
    #expect(
      world.policy("p")?.status?.conditions?[BucketSyncPolicy.ConditionType.ready]?.message.hasPrefix(
        "the clock went back") == true)
    try await world.run(for: .seconds(1800))
    #expect(world.runs.map(\.metadata.name) == runs)
    try await world.run(for: .seconds(5400))
    #expect(world.runs.count == runs.count + 1)
    #expect(
      world.policy("p")?.status?.conditions?[BucketSyncPolicy.ConditionType.ready]?.message
        == "runs are made on schedule")
  }

  @Test("a policy that changes nothing writes nothing")
  func quiet() async throws {
    let world = try World()
    try world.createPolicy("p")
    try await world.run()
    #expect(try await world.brokenPromises() == [])
  }
}

@Suite("Orphaned locks")
struct OrphanTests {
  private func orphan(_ world: World) async throws {
    world.cluster.jobs(named: "gone", .runsForEver)
    try world.createRun("gone")
    #expect(try await world.run { $0.isLive("gone") })
    // Somebody takes the run away by force.
    world.server.change(BucketSync.self, .named("gone")) { $0["metadata"]["finalizers"] = [] }
    world.deleteRun("gone")
  }

  @Test("a lock outlives its run by the lock timeout, counted from the end of its last pod")
  func removed() async throws {
    let world = try World()
    try await orphan(world)
    try await world.pass(.seconds(290))
    #expect(world.locks.count == 2)
    try await world.pass(.seconds(30))
    #expect(world.locks.isEmpty)
    #expect(world.cluster.violations == [])
  }

  @Test("the lock of a run in a namespace that another controller looks after is left to that one")
  func foreign() async throws {
    let world = try World(settings: CoreSettings(namespaces: ["elsewhere"]))
    try await orphan(world)
    try await world.pass(.seconds(3600))
    #expect(world.locks.count == 2)
  }

  @Test("a lock stays for as long as a pod of its run is there")
  func podStays() async throws {
    let world = try World()
    world.cluster.jobs(named: "gone", .ignoresStop)
    try world.createRun("gone")
    #expect(try await world.run { $0.isLive("gone") })
    world.server.change(BucketSync.self, .named("gone")) { $0["metadata"]["finalizers"] = [] }
    world.deleteRun("gone")
    try await world.pass(.seconds(3600))
    #expect(world.locks.count == 2)
    world.cluster.kill("gone")
    try await world.run()
    #expect(world.locks.isEmpty)
  }

  @Test("a restart of the operator starts the count anew, and the next run gets the bucket in the end")
  func restart() async throws {
    let world = try World()
    try await orphan(world)
    try await world.pass(.seconds(200))
    try world.restart()
    try world.createRun("next")
    try await world.pass(.seconds(290))
    #expect(world.run("next")?.status?.phase == .initialize)
    try await world.pass(.seconds(30))
    #expect(world.run("next")?.status?.result == .succeeded)
    #expect(try await world.brokenPromises() == [])
  }
}

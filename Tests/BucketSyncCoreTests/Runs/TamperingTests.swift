import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport
import Testing

@testable import BucketSyncCore

/// Bugs that the simulator found (docs/reliability.md), each as small as it gets.
@Suite("Locks, pods and runs that vanish under the operator's hands")
struct TamperingTests {
  private func working(_ world: World) async throws {
    world.cluster.jobs(named: "first", .runsForEver)
    try world.createRun("first", from: "a", to: "b")
    #expect(try await world.run { $0.condition("first", "JobRunning")?.status == .yes })
  }

  /// Where something is done to the server in the middle of a request, once.
  private final class Stage: Sendable {
    let server = Mutex<InMemoryAPIServer?>(nil)
  }

  private func deleteLocks(_ world: World) { for lock in world.locks { world.server.delete(ConfigMap.self, lock.key) } }

  @Test("a run waits for one that is at work although somebody has deleted its locks", arguments: World.Pace.allCases)
  func wiped(pace: World.Pace) async throws {
    let world = try World(pace: pace)
    try await working(world)
    world.server.holdWatch()
    deleteLocks(world)
    try world.createRun("second", from: "b", to: "c")
    world.server.holdWatch(pace == .slowWatch)
    try await world.run(for: .seconds(60))
    #expect(world.isLive("first"))
    #expect(!world.isLive("second"))
    #expect(world.condition("second", "LocksAcquired")?.message.contains("default/first") == true)
    world.cluster.jobs(named: "first", .succeeds)
    try await world.run()
    #expect(world.run("second")?.status?.result == .succeeded)
  }

  @Test("locks that somebody deletes while their run is at work are taken again")
  func takenAgain() async throws {
    let world = try World()
    try await working(world)
    deleteLocks(world)
    try await world.run(for: .seconds(1))
    #expect(Set(world.locks.compactMap { $0.data?["bucket"] }) == ["a", "b"])
    #expect(world.locks.allSatisfy { $0.data?["holderName"] == "first" })
  }

  @Test("an evicted pod keeps its Job, and its run the locks, until its container has stopped")
  func evicted() async throws {
    let world = try World()
    try await working(world)
    let pod = try #require(world.server.all(Pod.self).first).key
    world.server.change(Pod.self, pod) { $0["status"]["phase"] = "Failed" }
    try await world.run(for: .seconds(60))
    #expect(world.run("first")?.status?.phase == .finalize)
    #expect(world.server.find(Pod.self, pod) != nil)
    #expect(world.locks.count == 2)
    world.server.change(Pod.self, pod) {
      $0["status"]["containerStatuses"] = [["name": "rclone", "state": ["terminated": ["exitCode": 137]]]]
    }
    try await world.run()
    #expect(world.run("first")?.status?.result == .failed)
    #expect(world.locks.isEmpty)
  }

  @Test("the locks of a run that vanishes right after its Job was made stay until the clean-up has seen its pod gone")
  func vanishedWithItsJob() async throws {
    let stage = Stage()
    let world = try World(fault: { _, request in
      stage.server.withLock { server in
        guard request.method == .patch, let stored = server, !stored.all(Job.self).isEmpty else { return }
        stored.change(BucketSync.self, .named("first")) { $0["metadata"]["finalizers"] = [] }
        stored.delete(BucketSync.self, .named("first"))
        server = nil
      }
      return nil
    })
    stage.server.withLock { $0 = world.server }
    world.cluster.jobs(named: "first", .runsForEver)
    try world.createRun("first", from: "a", to: "b")
    try await world.run(for: .seconds(60))
    #expect(world.runs.isEmpty)
    #expect(world.locks.count == 2)
    try world.createRun("second", from: "b", to: "c")
    try await world.run()
    #expect(world.run("second")?.status?.result == .succeeded)
    #expect(world.locks.isEmpty)
  }

  @Test("a run whose deletion no watch tells of is forgotten, and keeps nobody waiting")
  func ghost() async throws {
    let world = try World()
    try await working(world)
    try world.createRun("ghost", from: "b", to: "c")
    world.time.advance(by: .seconds(1))
    try world.createRun("next", from: "c", to: "d")
    try await world.run(for: .seconds(1))
    world.server.holdWatch()
    world.server.change(BucketSync.self, .named("ghost")) { $0["metadata"]["finalizers"] = [] }
    world.server.delete(BucketSync.self, .named("ghost"))
    world.server.loseWatchEvents()
    world.server.holdWatch(false)
    world.cluster.jobs(named: "first", .succeeds)
    try await world.run()
    #expect(world.run("next")?.status?.result == .succeeded)
  }

  @Test("a pod that does not start fails its run in time although the clock was set back by a year")
  func clockSetBack() async throws {
    let world = try World()
    world.cluster.jobs(named: "first", .neverStarts(reason: "ErrImagePull"))
    try world.createRun("first")
    try await world.run(for: .seconds(1))
    world.time.jump(by: .seconds(-31_536_000))
    try await world.pass(.seconds(700))
    #expect(world.run("first")?.status?.result == .failed)
    #expect(world.condition("first", "Failed")?.message.contains("did not start within 10m") == true)
  }

  @Test("a pod that replaces another after a while has as long to start as the first one had")
  func replacedPod() async throws {
    let world = try World()
    try await working(world)
    try await world.pass(.seconds(1200))
    world.cluster.jobs(named: "first", .neverStarts(reason: "ContainerCreating"))
    // As good as another pod: what counts is that none runs.
    let pod = try #require(world.server.all(Pod.self).first).key
    world.server.change(Pod.self, pod) { $0["status"] = ["phase": "Pending"] }
    try await world.run(for: .seconds(60))
    #expect(world.run("first")?.status?.phase == .sync)
    try await world.pass(.seconds(600))
    #expect(world.condition("first", "Failed")?.message.contains("did not start within 10m") == true)
  }

  @Test("an orphaned lock whose deletion meets a conflict is looked at again, and goes")
  func orphanInConflict() async throws {
    let deletions = Mutex(0)
    let world = try World { _, request in
      guard request.method == .delete, request.label.resource == ConfigMap.resource.plural else { return nil }
      return deletions.withLock { count in
        count += 1
        return count == 1 ? .conflict : nil
      }
    }
    let other = try World()
    try await working(other)
    for lock in other.locks { try world.server.create(lock) }
    try await world.pass(.seconds(400))
    #expect(world.locks.isEmpty)
  }
}

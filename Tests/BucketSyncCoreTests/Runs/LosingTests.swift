import BucketSyncAPI
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

/// Every run ends, and none gives its locks back too early, whatever the Job controller loses (design.md section 7, L1).
@Suite("Runs whose Job controller loses something")
struct LosingTests {
  @Test(
    "a deadline that the Job controller forgets is kept by the run, which holds its locks until the pod has stopped",
    arguments: World.Pace.allCases)
  func deadline(pace: World.Pace) async throws {
    let world = try World(pace: pace)
    world.cluster.lose(.deadlines)
    world.cluster.jobs(named: "run", .ignoresStop)
    try world.createRun("run", timeout: "5m")
    try await world.pass(.seconds(300 + 40))
    #expect(world.run("run")?.status?.phase == .sync)
    try await world.pass(.seconds(10))
    #expect(world.run("run")?.status?.phase == .finalize)
    #expect(world.condition("run", "LocksAcquired")?.reason == "WaitingForPods")
    #expect(world.locks.count == 2)
    world.cluster.kill("run")
    try await world.run()
    #expect(world.condition("run", "Failed")?.reason == "DeadlineExceeded")
    #expect(world.run("run")?.status?.error?.contains("spec.timeout of 5m") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a controller that starts after a forgotten deadline ends the run at once")
  func restart() async throws {
    let world = try World()
    world.cluster.lose(.deadlines)
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run", timeout: "5m")
    #expect(try await world.run { $0.condition("run", "JobRunning")?.status == .yes })
    world.time.advance(by: .seconds(3600))
    try world.restart()
    try await world.run(for: .zero)
    #expect(world.condition("run", "Failed")?.reason == "DeadlineExceeded")
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a pod that never started is named when the run keeps the deadline")
  func pending() async throws {
    let world = try World()
    world.cluster.lose(.deadlines)
    world.cluster.jobs(named: "run", .neverStarts(reason: "ErrImagePull"))
    try world.createRun("run", timeout: "1m")
    try await world.run()
    #expect(world.condition("run", "Failed")?.reason == "DeadlineExceeded")
    #expect(world.run("run")?.status?.error?.contains("cannot be pulled") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a Job that has ended while the cache lagged behind keeps its result")
  func lateCache() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run", timeout: "5m")
    #expect(try await world.run { $0.condition("run", "JobRunning")?.status == .yes })
    world.server.stopFeeding()
    world.cluster.jobs(named: "run", .succeeds)
    try await world.run(for: .seconds(400))
    #expect(world.run("run")?.status?.result == .succeeded)
    try world.restart()
    try await world.run()
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a pod that outlives its Job is deleted with it, and holds the locks until it has stopped")
  func pod() async throws {
    let world = try World()
    world.cluster.lose(.podDeletions)
    world.cluster.jobs(named: "run", .ignoresStop)
    try world.createRun("run", timeout: "5m")
    try await world.run()
    #expect(world.server.all(Job.self).isEmpty)
    let pods = world.server.all(Pod.self)
    #expect(pods.allSatisfy { $0.metadata.isBeingDeleted })
    #expect(world.condition("run", "LocksAcquired")?.reason == "WaitingForPods")
    #expect(world.locks.count == 2)
    world.cluster.kill("run")
    try await world.run()
    #expect(world.condition("run", "Failed")?.reason == "DeadlineExceeded")
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a pod that is being deleted and does not stop is named")
  func stopping() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .ignoresStop)
    try world.createRun("run")
    #expect(try await world.run { $0.condition("run", "JobRunning")?.reason == "Running" })
    world.server.delete(Pod.self, .named("run-pod"))
    try await world.run()
    #expect(world.condition("run", "JobRunning")?.reason == "Stopping")
    #expect(world.condition("run", "JobRunning")?.message.contains("run-pod") == true)
    world.cluster.kill("run")
    try await world.run()
    #expect(world.run("run")?.status?.result == .failed)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a pod that nobody owns any more is named as what the locks are kept for")
  func ownerless() async throws {
    let world = try World()
    world.cluster.lose(.podDeletions)
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run", timeout: "5m")
    #expect(try await world.run { $0.isLive("run") })
    world.server.change(Pod.self, .named("run-pod")) { $0["metadata"].removeMember("ownerReferences") }
    try await world.run()
    #expect(world.condition("run", "LocksAcquired")?.message.contains("run-pod") == true)
    #expect(world.locks.count == 2)
    world.cluster.kill("run")
    try await world.run()
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a pod that ends a little later than its Job still tells why")
  func lastWords() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    #expect(try await world.run { $0.condition("run", "JobRunning")?.status == .yes })
    world.cluster.giveUp("run")
    try await world.pass(.seconds(5))
    #expect(world.run("run")?.status?.phase == .sync)
    world.cluster.jobs(named: "run", .fails(exitCode: 3, log: "ERROR : directory not found"))
    try await world.run()
    #expect(world.run("run")?.status?.error?.contains("exit code 3") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a pod whose end the cache has missed still tells why")
  func missedWords() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    #expect(try await world.run { $0.condition("run", "JobRunning")?.status == .yes })
    world.cluster.giveUp("run")
    try await world.incarnation.settle()
    world.server.stopFeeding()
    world.cluster.jobs(named: "run", .fails(exitCode: 3, log: "ERROR : directory not found"))
    try await world.run(for: .seconds(60))
    #expect(world.run("run")?.status?.error?.contains("exit code 3") == true)
  }
}

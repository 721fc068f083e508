import BucketSyncAPI
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("Stopping a run")
struct CancellingTests {
  @Test("a run deleted while its pod runs keeps its locks until the pod has stopped")
  func pod() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .ignoresStop)
    try world.createRun("run")
    #expect(try await world.run { $0.isLive("run") })
    world.deleteRun("run")
    try await world.run()
    #expect(world.locks.count == 2)
    #expect(world.condition("run", "LocksAcquired")?.reason == "WaitingForPods")
    #expect(world.condition("run", "LocksAcquired")?.message.contains("run-pod") == true)
    world.cluster.kill("run")
    try await world.run()
    #expect(world.runs.isEmpty)
    #expect(world.locks.isEmpty)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run that takes too long keeps its locks until the pod has stopped")
  func timeout() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .ignoresStop)
    try world.createRun("run", timeout: "5m")
    try await world.run()
    #expect(world.locks.count == 2)
    #expect(world.run("run")?.status?.phase == .finalize)
    world.cluster.kill("run")
    try await world.run()
    #expect(world.run("run")?.status?.error?.contains("5m") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run deleted before anything happened just goes", arguments: World.Pace.allCases)
  func untouched(pace: World.Pace) async throws {
    let world = try World(pace: pace)
    try world.createRun("run")
    world.deleteRun("run")
    try await world.run()
    #expect(world.runs.isEmpty)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a finished run can be deleted at once")
  func finished() async throws {
    let world = try World()
    try world.createRun("run")
    try await world.run()
    world.deleteRun("run")
    #expect(world.runs.isEmpty)
  }

  @Test("a Job that somebody deletes ends its run with an error, once its pod has stopped")
  func jobDeleted() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    #expect(try await world.run { $0.isLive("run") && $0.condition("run", "JobRunning")?.status == .yes })
    world.server.delete(Job.self, .named("run"))
    try await world.run()
    #expect(world.run("run")?.status?.result == .failed)
    #expect(world.run("run")?.status?.error?.contains("deleted by somebody else") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a Job whose labels were taken off still ends its run", arguments: [false, true])
  func unlabelled(isCancelled: Bool) async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    #expect(try await world.run { $0.isLive("run") && $0.condition("run", "JobRunning")?.status == .yes })
    world.server.change(Job.self, .named("run")) { $0["metadata"]["labels"] = [:] }
    try await world.run(for: .seconds(10))
    if isCancelled { world.deleteRun("run") } else { world.cluster.jobs(named: "run", .succeeds) }
    try await world.run()
    #expect(world.run("run")?.status?.result == (isCancelled ? nil : .succeeded))
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a Job that somebody's finalizer keeps is named, with the finalizer, as what the locks are kept for")
  func stuckJob() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    #expect(try await world.run { $0.isLive("run") })
    world.server.change(Job.self, .named("run")) { $0["metadata"]["finalizers"] = ["example.com/audit"] }
    world.deleteRun("run")
    try await world.run()
    #expect(!world.isLive("run"))
    #expect(world.condition("run", "LocksAcquired")?.reason == "WaitingForJob")
    #expect(world.condition("run", "LocksAcquired")?.message.contains("example.com/audit") == true)
    #expect(world.locks.count == 2)
    world.server.change(Job.self, .named("run")) { $0["metadata"]["finalizers"] = [] }
    try await world.run()
    #expect(world.runs.isEmpty)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a Job that was removed before it was seen is created again, once its pod, which is named, has stopped")
  func unseen() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .ignoresStop)
    try world.createRun("run")
    #expect(try await world.run { $0.isLive("run") })
    world.server.change(BucketSync.self, .named("run")) { $0["status"].removeMember("jobUID") }
    world.server.delete(Job.self, .named("run"))
    try await world.run(for: .seconds(60))
    #expect(world.condition("run", "JobRunning")?.message.contains("run-pod") == true)
    #expect(world.locks.count == 2)
    world.cluster.jobs(named: "run", .succeeds)
    world.cluster.kill("run")
    try await world.run()
    #expect(world.run("run")?.status?.result == .succeeded)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a new leader whose cache has not seen the Job yet does not take it for deleted")
  func lateCache() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    #expect(try await world.run { $0.condition("run", "JobRunning")?.status == .yes })
    try world.restart()
    let jobs = world.incarnation.services.caches.jobs
    jobs.replace(StoreSource(namespace: nil), with: [], version: "9999")
    try await world.run(for: .seconds(5))
    #expect(world.run("run")?.status?.phase == .sync)
    #expect(world.isLive("run"))
  }

  @Test("a pod that cannot start is explained, and given up after the start timeout")
  func neverStarts() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .neverStarts(reason: "ErrImagePull"))
    try world.createRun("run")
    try await world.run(for: .seconds(60))
    #expect(world.condition("run", "JobRunning")?.reason == "ImagePullFailed")
    #expect(world.locks.count == 2)
    try await world.run()
    #expect(world.run("run")?.status?.error?.contains("did not start within 10m") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a Job that appears after its run has finished is deleted, and its pod with it")
  func lateJob() async throws {
    let world = try World()
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run", timeout: "5m")
    #expect(try await world.run { $0.isLive("run") })
    var late = try #require(world.server.find(Job.self, .named("run")))
    try await world.run()
    #expect(world.run("run")?.isFinished == true)
    late.metadata.uid = nil
    late.metadata.resourceVersion = nil
    late.status = nil
    try world.server.create(late)
    try await world.run()
    #expect(!world.isLive("run"))
    #expect(try await world.brokenPromises() == [])
  }
}

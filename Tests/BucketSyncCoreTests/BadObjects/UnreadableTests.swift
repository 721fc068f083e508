import BucketSyncAPI
import KubernetesModel
import TestSupport
import Testing

/// What cannot be read is never taken for what is gone (design.md section 7, S1).
@Suite("Jobs, pods and locks that cannot be read")
struct UnreadableTests {
  @Test("a pod that cannot be read counts as running: the locks are kept until it is gone")
  func pod() async throws {
    let world = try World()
    world.cluster.jobs(named: "one", .runsForEver)
    try world.createRun("one")
    #expect(try await world.run(until: { $0.isLive("one") }))
    let pod = try #require(world.server.all(Pod.self).first)
    world.server.change(Pod.self, pod.key) { pod in
      pod["status"] = ["phase": "Failed", "containerStatuses": "a word"]
    }
    world.server.change(Job.self, .named("one")) { job in
      job["status"]["conditions"] = [["type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"]]
    }
    try world.createRun("two", from: "b", to: "c")
    try await world.run(for: .seconds(3600))
    #expect(world.run("one")?.isFinished == false)
    #expect(world.locks.count == 2)
    #expect(world.condition("two", "LocksAcquired")?.status == .no)

    world.cluster.kill("one")
    try await world.run(for: .seconds(3600))
    #expect(world.run("one")?.status?.result == .failed)
    #expect(world.run("two")?.status?.result == .succeeded)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a Job that cannot be read counts as existing: the lock of its run that is gone stays")
  func job() async throws {
    let world = try World()
    world.cluster.jobs(named: "one", .runsForEver)
    try world.createRun("one")
    #expect(try await world.run(until: { $0.isLive("one") }))
    world.server.change(Job.self, .named("one")) { $0["status"] = ["conditions": "a word"] }
    // Gone without a trace: somebody took its finalizer off, and the collector is slow.
    world.server.change(Job.self, .named("one")) { $0["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = true }
    world.server.change(BucketSync.self, .named("one")) { $0["metadata"]["finalizers"] = [] }
    try await world.run(for: .seconds(1200))
    #expect(world.locks.count == 2)
    #expect(world.cluster.violations == [])
  }

  @Test("a lock that cannot be read is in the way of a run, and stays")
  func lock() async throws {
    let world = try World()
    try world.createRun("one")
    try await world.run()
    world.cluster.jobs(named: "two", .runsForEver)
    try world.createRun("two")
    #expect(try await world.run(until: { $0.isLive("two") }))
    for lock in world.locks { world.server.change(ConfigMap.self, lock.key) { $0["data"] = "a word" } }
    try world.createRun("three")
    try await world.run(for: .seconds(3600))
    let condition = world.condition("three", "LocksAcquired")
    #expect(condition?.status == .no)
    #expect(world.server.objects.keys.count { $0.plural == "configmaps" } == 2)
  }

  @Test(
    "a status.job that is no name of a Job does not keep a run from ending", arguments: ["", ".", "..", "a/b", "a%2Fb"])
  func jobName(_ name: String) async throws {
    let world = try World()
    var status = BucketSync.Status()
    status.phase = .finalize
    status.job = name
    var run = BucketSync(
      metadata: ObjectMeta(name: "one", namespace: "default"), spec: .init(source: "a", destination: "b"))
    run.status = status
    try world.server.create(run)
    try await world.run()
    #expect(world.run("one")?.isFinished == true)
    #expect(try await world.brokenPromises() == [])
  }
}

import BucketSyncAPI
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("Runs that wait for buckets")
struct WaitingTests {
  /// Requests of the operator while `body` goes on.
  private func writes(_ world: World, while body: () async throws -> Void) async throws -> Int {
    let before = world.incarnation.connection.sent.filter(\.isWrite).count
    try await body()
    return world.incarnation.connection.sent.filter(\.isWrite).count - before
  }

  @Test("the oldest goes first, the others say for whom they wait, and all get their turn")
  func line() async throws {
    let world = try World()
    world.cluster.jobs(named: "first", .runsForEver)
    try world.createRun("first", from: "a", to: "b")
    world.time.advance(by: .seconds(1))
    try world.createRun("second", from: "b", to: "c")
    world.time.advance(by: .seconds(1))
    try world.createRun("third", from: "c", to: "d")
    try await world.run()
    #expect(world.condition("first", "LocksAcquired")?.status == .yes)
    let second = try #require(world.condition("second", "LocksAcquired"))
    #expect(second.reason == "WaitingForBucket")
    #expect(second.message.contains("default/first"))
    #expect(world.condition("third", "LocksAcquired")?.message.contains("default/second") == true)
    #expect(Set(world.locks.compactMap { $0.data?["bucket"] }) == ["a", "b"])
    world.cluster.jobs(named: "first", .succeeds)
    try await world.run()
    #expect(world.runs.allSatisfy { $0.status?.result == .succeeded })
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run that finds one bucket free and the other taken waits quietly", arguments: World.Pace.allCases)
  func oneFree(pace: World.Pace) async throws {
    let world = try World(pace: pace)
    world.cluster.jobs(named: "holder", .runsForEver)
    try world.createRun("holder", from: "y", to: "z")
    #expect(try await world.run { $0.isLive("holder") })
    try world.createRun("waiting", from: "x", to: "y")
    try await world.run()
    #expect(world.locks.count == 2)
    #expect(try await writes(world) { try await world.run(for: .seconds(3600)) } == 0)
    world.cluster.jobs(named: "holder", .succeeds)
    try await world.run()
    #expect(world.run("waiting")?.status?.result == .succeeded)
  }

  @Test("a ConfigMap of somebody else in a lock's place is left alone, reported, and looked at now and then")
  func foreignLock() async throws {
    let world = try World()
    let probe = try World()
    probe.cluster.jobs(named: "probe", .runsForEver)
    try probe.createRun("probe", from: "x", to: "y")
    try await probe.run()
    let name = try #require(probe.locks.first { $0.data?["bucket"] == "y" }?.metadata.name)
    try world.createForeign(
      ConfigMap(metadata: ObjectMeta(name: name, namespace: Incarnation.namespace), data: ["a": "b"]))
    try world.createRun("run", from: "x", to: "y")
    try await world.run(for: .seconds(5))
    #expect(world.condition("run", "LocksAcquired")?.message.contains(name) == true)
    let quiet = try await writes(world) { try await world.run(for: .seconds(300)) }
    #expect(quiet <= 40)
    world.server.delete(ConfigMap.self, ObjectKey(namespace: Incarnation.namespace, name: name))
    try await world.run(for: .seconds(60))
    #expect(world.run("run")?.status?.result == .succeeded)
  }
}

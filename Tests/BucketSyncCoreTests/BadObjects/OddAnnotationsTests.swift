import BucketSyncAPI
import KubernetesModel
import TestSupport
import Testing

/// What was found by drawing objects, pinned.
@Suite("Odd annotations and statuses that somebody else wrote")
struct OddAnnotationsTests {
  /// A server that has the limit of the real one.
  func world() throws -> World {
    let world = try World()
    world.server.validate { _, new, _ in
      let annotations = new["metadata"]["annotations"].object ?? [:]
      let size = annotations.reduce(0) { $0 + $1.key.utf8.count + ($1.value.string?.utf8.count ?? 0) }
      return size > 256 << 10 ? "metadata.annotations: Too long: may not be more than 262144 bytes" : nil
    }
    return world
  }

  @Test("a trigger with a value of any length makes one run, and is taken off when that has finished")
  func longTrigger() async throws {
    let world = try world()
    try world.createPolicy("p", schedule: "@yearly", syncNow: String(repeating: "now ", count: 50_000))
    try await world.run()
    #expect(world.runs.map(\.status?.result) == [.succeeded])
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a policy whose annotations leave no room for the record of a trigger says so, and its ticks go on")
  func noRoom() async throws {
    let world = try world()
    try world.createPolicy("p", syncNow: "x")
    world.server.change(BucketSyncPolicy.self, .named("p")) {
      $0["metadata"]["annotations"]["example.com/notes"] = .string(String(repeating: "x", count: (256 << 10) - 100))
    }
    try await world.run()
    #expect(world.run("p-1705284000")?.status?.result == .succeeded)
    #expect(
      world.policy("p")?.status?.error?.hasPrefix("metadata.annotations: the trigger sync-now cannot be recorded")
        == true)
    #expect(world.policy("p")?.status?.conditions?["Ready"]?.status == .no)
  }

  @Test("a record of a trigger that names no run is replaced", arguments: ["a/b", "..", "=x", "A B", "🪣"])
  func rubbishRecord(_ text: String) async throws {
    let world = try world()
    try world.createPolicy("p", schedule: "@yearly", syncNow: "x")
    world.server.change(BucketSyncPolicy.self, .named("p")) {
      $0["metadata"]["annotations"][BucketSyncNames.Annotation.syncNowRun] = .string(text)
    }
    try await world.run()
    #expect(world.runs.map(\.status?.result) == [.succeeded])
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run that somebody put into Finalize without a result ends as failed, and says why")
  func finalizeWithoutResult() async throws {
    let world = try world()
    var run = BucketSync(
      metadata: ObjectMeta(name: "one", namespace: "default"), spec: .init(source: "a", destination: "b"))
    var status = BucketSync.Status()
    status.phase = .finalize
    status.result = .unknown("Maybe")
    run.status = status
    try world.server.create(run)
    try await world.run()
    #expect(world.run("one")?.status?.result == .failed)
    #expect(world.run("one")?.status?.error?.contains("status.result") == true)
    #expect(try await world.brokenPromises() == [])
  }

  @Test(
    "a reason that the API would refuse does not keep a status from being written",
    arguments: [String(repeating: "R", count: 1025), "\u{212A}elvin", "e\u{301}", "", "9", "A-B", "A:"])
  func reasons(_ reason: String) async throws {
    let world = try world()
    world.cluster.jobs(named: "one", .neverStarts(reason: reason))
    try world.createRun("one")
    try await world.run(for: .seconds(3600))
    let reasons = (world.run("one")?.status?.conditions ?? []).map(\.reason)
    #expect(
      reasons.allSatisfy { $0.utf8.count <= 1024 && $0.utf8.allSatisfy { $0 < 0x80 } && !$0.isEmpty }, "\(reasons)")
    #expect(world.run("one")?.isFinished == true)
  }
}

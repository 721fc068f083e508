// An operator with plugins of somebody else, examples/custom-plugin, does all that ours does.

import BucketSyncAPI
import KubernetesModel
import OperatorRuntime
import Testing

@Suite("What an operator with plugins of one's own does", .enabled(if: Testbed.hasNetwork), .explained)
struct CustomPluginTests {
  /// Without the built-in locks: the example has its own.
  private static let checks = Invariants.all.subtracting(.locking)

  @Test func theExamplesLocksKeepASecondRunWaiting() async throws {
    try await World.run(Self.checks) { world in
      let sync = try await world.heldSync()
      try await world.startController(program: Testbed.exampleOperator)
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      let holder = try #require(try await world.get(BucketSync.self, "a").metadata.uid)
      let leases = try await world.all(Lease.self)
      #expect(
        Set(leases.compactMap { $0.metadata.annotations?["example.com/bucket"] })
          == [sync.source.name, sync.destination.name])
      #expect(leases.allSatisfy { $0.spec?.holderIdentity == "\(world.namespace)/a/\(holder)" })
      #expect(try await world.locks().isEmpty)
      try await world.create(world.run("b", sync))
      try await world.wait(for: BucketSync.self, "b", "says who it waits for") {
        $0.condition("LocksAcquired")?.message.contains("\(world.namespace)/a") == true
      }
      sync.release()
      try await world.success(of: "a")
      try await world.success(of: "b")
      try await until("the Leases are gone") { try await world.all(Lease.self).isEmpty }
    }
  }

  @Test func theExamplesLocksOutliveACrash() async throws {
    try await World.run(Self.checks) { world in
      let sync = try await world.heldSync()
      let first = try await world.startController(program: Testbed.exampleOperator)
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      await first.crash()
      try await world.create(world.run("b", sync))
      try await world.startController(program: Testbed.exampleOperator)
      try await world.wait(for: BucketSync.self, "b", "waits") { $0.condition("LocksAcquired")?.status == .no }
      #expect(try await world.all(Lease.self).count == 2)
      sync.release()
      try await world.success(of: "a")
      try await world.success(of: "b")
      try await until("the Leases are gone") { try await world.all(Lease.self).isEmpty }
    }
  }

  @Test func theExamplesBusyHoursHoldRunsBack() async throws {
    try await World.run(Self.checks) { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      let strict = try await world.startController("--busy-hours", "0-24", program: Testbed.exampleOperator)
      try await world.create(world.run("once", from: source, to: destination))
      let held = try await world.wait(for: BucketSync.self, "once", "is held back") {
        $0.condition("LocksAcquired")?.message.contains("no sync starts before") == true
      }
      #expect(held.condition("LocksAcquired")?.status == .no)
      #expect(try await strict.terminate() == 0)
      try await world.startController(program: Testbed.exampleOperator)
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }
}

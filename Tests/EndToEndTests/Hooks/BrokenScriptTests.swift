// What happens to runs while scripts are broken, and when they are repaired.

import BucketSyncAPI
import KubernetesModel
import Testing

@Suite("When scripts are broken", .enabled(if: Testbed.isEnabled), .explained)
struct BrokenScriptTests {
  private static let good = """
    return {
      api = 1,
      build_job = function(ctx, job)
        rclone.flag(job, "transfers", ctx.params.transfers)
        return job
      end,
    }
    """
  private static let broken = good.replacing("ctx.params", with: "ctx.parameters")

  @Test(.enabled(if: Testbed.hasEndpoints)) func aRunWaitsForTheRepairAndThenGoesOnWithoutARestart() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      let scripts = try MountedScripts(in: world)
      try scripts.publish(["flags.lua": Self.broken])
      let controller = try await world.startController("--hooks-dir", scripts.path)
      var run = world.run("once", from: source, to: destination)
      run.spec.parameters = ["transfers": "3"]
      try await world.create(run)

      let problem =
        "plugin LuaHooks failed at buildJob: flags.lua:4: attempt to index a nil value (field 'parameters')"
      let blocked = try await world.wait(for: BucketSync.self, "once", "is blocked") { $0.status?.error != nil }
      #expect(blocked.status?.error == problem)
      #expect(blocked.condition("LocksAcquired")?.reason == "Blocked")
      #expect(try await world.all(Job.self).isEmpty)
      #expect(try await world.locks().isEmpty)
      try await until("the Event is there") {
        try await world.kubectl("get", "events", "--output", "jsonpath={.items[*].message}").contains(problem)
      }
      let metrics = try await controller.metrics()
      #expect(metrics.contains(#"bucket_sync_plugin_failures_total{plugin="LuaHooks",point="buildJob"}"#))
      #expect(!metrics.contains(#"bucket_sync_hook_failures_total{point="build_job",reason="runtime"} 0"#))

      try scripts.publish(["flags.lua": Self.good])
      let finished = try await world.success(of: "once")
      #expect(finished.status?.error == nil)
      #expect(try destination.objects() == source.objects())
    }
  }

  @Test func aChangedSetThatIsBrokenIsNotUsedAndTheOldOneStays() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      let scripts = try MountedScripts(in: world)
      try scripts.publish(["flags.lua": Self.good])
      let controller = try await world.startController("--hooks-dir", scripts.path)
      try scripts.publish(["flags.lua": "return {", "other.lua": "return { api = 7 }"])
      try await until("the controller tells of every problem") {
        world.logText.contains("flags.lua:1: unexpected symbol")
          && world.logText.contains("other.lua: api = 7 is unknown")
      }
      #expect(try await controller.metrics().contains("bucket_sync_hook_reload_failed 1"))

      var run = world.run("once", from: source, to: destination)
      run.spec.parameters = ["transfers": "3"]
      try await world.create(run)
      try await world.wait(for: BucketSync.self, "once", "has its Job") { $0.status?.jobUID != nil }
      let arguments = try await world.kubectl(
        "get", "jobs", "--output", "jsonpath={.items[0].spec.template.spec.containers[0].args}")
      #expect(arguments.contains("--transfers=3"))
      try await world.kubectl("delete", "bucketsync", "once")
    }
  }

  @Test func aControllerDoesNotStartWithBrokenScripts() async throws {
    try await World.run(.all.subtracting(.survival)) { world in
      let scripts = try MountedScripts(in: world)
      try scripts.publish([
        "a.lua": "return {", "b.lua": "return { api = 1, build_jobs = print }", "good.lua": Self.good,
      ])
      let controller = try await world.startController("--hooks-dir", scripts.path, waitUntilReady: false)
      #expect(try await controller.process.exitCode() != 0)
      #expect(world.logText.contains("2 problems with the scripts"))
      #expect(world.logText.contains("a.lua:1: unexpected symbol near <eof>"))
      #expect(world.logText.contains("b.lua:1: there is no \"print\" in hooks"))
    }
  }

  @Test func failuresCanBeIgnored() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      let scripts = try MountedScripts(in: world)
      try scripts.publish(["flags.lua": Self.broken])
      try await world.startController("--hooks-dir", scripts.path, "--hooks-on-error", "ignore")
      try await world.create(world.run("once", from: source, to: destination))
      try await world.wait(for: BucketSync.self, "once", "has its Job") { $0.status?.jobUID != nil }
      try await until("an Event tells of it") {
        try await world.kubectl("get", "events", "--output", "jsonpath={.items[*].reason}").contains("HookIgnored")
      }
      try await world.kubectl("delete", "bucketsync", "once")
    }
  }
}

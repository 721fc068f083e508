// Two controllers, of which the one that leads is killed again and again, or stopped for a minute, with many runs under
// way. That one takes over from the other at all is what LeaderTests and Tests/Chart show.

import BucketSyncAPI
import FaultProxy
import KubernetesModel
import TestSupport
import Testing

@Suite("Leaders that are killed and stopped", .enabled(if: Chaos.mayDisturb), .explained, .serialized)
struct ReplicaChaosTests {
  @Test func everyRunEndsWellWhileTheLeaderIsKilledAgainAndAgain() async throws {
    try await World.run([]) { world in
      try await Chaos.run(world) { timeline in
        var report = ChaosReport(title: "killed leaders")
        try await RcloneWitness.with(world) { witness in
          let load = try await ChaosLoad.prepare(
            world, ChaosLoad.Settings(runs: 30, unfinished: 12, schedule: "@every 30s", triggers: 2))
          let deadline = ContinuousClock.now + Chaos.duration / 2
          let kills = Task { try await killLeaders(world, timeline, until: deadline) }
          try await load.feed { ContinuousClock.now > deadline }
          let killed = try await kills.value
          try await load.settle()
          try await Invariants.all.verify(world)
          try await load.verify(into: &report)
          report.violations += witness.violations
          report.figures += [("rclones", witness.lives.count), ("killed leaders", killed)]
        }
        return report
      }
    }
  }

  @Test func aLeaderThatWasStoppedForAMinuteWritesNothingWhenItGoesOn() async throws {
    // The one that was stopped ends by itself, as it has to.
    let checks = Invariants.all.subtracting(.survival)
    try await World.run([]) { world in
      try await Chaos.run(world) { timeline in
        var report = ChaosReport(title: "a stopped leader")
        try await RcloneWitness.with(world) { witness in
          let way = try await FaultyWay.open(world, rates: .calm, timeline: timeline)
          let load = try await ChaosLoad.prepare(world, ChaosLoad.Settings(runs: 30))
          let old = try await world.startController(
            "--leader-election", "--kubeconfig", way.kubeconfig, environment: ["POD_NAME": "old"])
          try await world.leads("old")
          let new = try await world.startController("--leader-election", environment: ["POD_NAME": "new"])
          for _ in 0..<20 { try await load.makeRun() }
          try await until("some runs are at work") { !witness.lives.isEmpty }
          old.process.freeze()
          timeline.note("SIGSTOP old")
          let pause = min(.seconds(60), max(.seconds(20), Chaos.duration / 2))
          let until = ContinuousClock.now + pause
          try await world.leads("new")
          timeline.note("new leads")
          // The proxy may still hold what was sent before.
          let writesBefore = way.proxy.timeline.writes.count
          try await Task.sleep(until: until, clock: .continuous)
          old.process.thaw()
          timeline.note("SIGCONT old")
          #expect(try await old.process.exitCode() != 0)
          try await load.feed { true }
          try await load.settle()
          try await checks.verify(world)
          try await load.verify(into: &report)
          let writes = way.proxy.timeline.writes.dropFirst(writesBefore).filter { !$0.path.contains("/leases") }
          for write in writes { report.violations.append("the old one wrote: \(write.method) \(write.path)") }
          #expect(!new.process.hasEndedByItself)
          await way.close()
          report.violations += witness.violations
          report.figures += [
            ("rclones", witness.lives.count), ("writes of the old one after it was stopped", writes.count),
          ]
        }
        return report
      }
    }
  }

  /// Kills whoever leads, some seconds after it began to, and starts it again.
  private func killLeaders(
    _ world: World, _ timeline: Timeline, until deadline: ContinuousClock.Instant
  ) async throws -> Int {
    var numbers = SeededChance(seed: Chaos.seed, key: "leaders")
    var running: [String: Controller] = [:]
    var killed = 0
    func start() async throws {
      let name = "replica-\(killed)-\(running.count)"
      running[name] = try await world.startController("--leader-election", environment: ["POD_NAME": name])
    }
    try await start()
    try await start()
    while ContinuousClock.now < deadline {
      var leader = ""
      try await Chaos.eventually("somebody leads") {
        leader = try await world.get(Lease.self, "bucket-sync").leader
        return running[leader] != nil
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 500...8000, using: &numbers)))
      timeline.note("SIGKILL \(leader)")
      await running.removeValue(forKey: leader)?.crash()
      killed += 1
      try await start()
    }
    return killed
  }
}

extension World {
  /// Returns when that replica leads.
  fileprivate func leads(_ name: String) async throws {
    try await wait(for: Lease.self, "bucket-sync", "is held by \(name)") { $0.leader == name }
  }
}

extension Lease {
  /// The replica's name, without what tells its incarnations apart.
  fileprivate var leader: String { spec?.holderIdentity?.split(separator: "_").first.map(String.init) ?? "" }
}

// kube-apiserver and etcd are killed in turn, every half minute, while fifty syncs wait or are at work.

import FaultProxy
import TestSupport
import Testing

@Suite("Servers that are killed", .enabled(if: Chaos.mayDisturb), .explained, .serialized)
struct KillChaosTests {
  @Test func everyRunEndsWellWhileAPIServerAndEtcdAreKilledInTurn() async throws {
    try await World.run([]) { world in
      try await Chaos.run(world) { timeline in
        var report = ChaosReport(title: "killed servers")
        let servers = Servers(timeline: timeline)
        try await RcloneWitness.with(world) { witness in
          let load = try await ChaosLoad.prepare(
            world, ChaosLoad.Settings(runs: 50, unfinished: 50, schedule: "@every 30s", triggers: 3))
          let controller = try await world.startController()
          let deadline = ContinuousClock.now + Chaos.duration
          let kills = Task { try await servers.killInTurn(until: deadline) }
          try await load.feed { ContinuousClock.now > deadline }
          let killed = try await kills.value
          try await load.settle()
          try await Invariants.all.verify(world)
          try await load.verify(into: &report)
          report.violations += witness.violations
          report.figures += [
            ("rclones", witness.lives.count), ("kills", killed), ("gaps in the history", world.history.gaps.count),
            ("restarts of the controller", controller.process.hasEndedByItself ? 1 : 0),
          ]
        }
        return report
      }
    }
  }
}

extension Servers {
  /// Kills the API server and etcd by turns, every 30 s, and starts each again some seconds later.
  /// - Returns: How many were killed.
  fileprivate func killInTurn(until deadline: ContinuousClock.Instant) async throws -> Int {
    var numbers = SeededChance(seed: Chaos.seed, key: "kills")
    var killed = 0
    while true {
      let next = ContinuousClock.now + .seconds(30)
      let part = killed % 2 == 0 ? "apiserver" : "etcd"
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...3000, using: &numbers)))
      try kill(part)
      killed += 1
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...8000, using: &numbers)))
      try await restart(part)
      guard next < deadline else { return killed }
      try await Task.sleep(until: next, clock: .continuous)
    }
  }
}

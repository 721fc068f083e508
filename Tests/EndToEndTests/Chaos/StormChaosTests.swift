// Everything that can go wrong between the controller and the real API server does, all the time.

import FaultProxy
import Testing

@Suite("A storm between controller and API server", .enabled(if: Chaos.mayDisturb), .explained, .serialized)
struct StormChaosTests {
  @Test func everyRunEndsWellAndNothingIsDoneTwice() async throws {
    try await World.run([]) { world in
      try await Chaos.run(world) { timeline in
        var report = ChaosReport(title: "a storm")
        try await RcloneWitness.with(world) { witness in
          let way = try await FaultyWay.open(world, rates: .storm, timeline: timeline)
          let load = try await ChaosLoad.prepare(world, ChaosLoad.Settings(unfinished: Chaos.mayDisturb ? 20 : 0))
          let deadline = ContinuousClock.now + (Chaos.mayDisturb ? Chaos.duration / 2 : .zero)
          try await world.startController("--kubeconfig", way.kubeconfig)
          try await load.feed { ContinuousClock.now > deadline }
          try await load.settle()
          try await Invariants.all.verify(world)
          try await load.verify(into: &report)
          await way.close()
          report.violations += witness.violations
          report.figures.append(("rclones", witness.lives.count))
        }
        return report
      }
    }
  }
}

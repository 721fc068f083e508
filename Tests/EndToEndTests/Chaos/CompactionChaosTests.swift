// etcd forgets while no watch gets through: each must go on from a version that the real server does not know any more.
//
// An API server usually answers watches from a cache of its own, which remembers what etcd has forgotten. Here it runs
// without one.

import BucketSyncAPI
import FaultProxy
import KubernetesModel
import Testing

@Suite("An etcd that forgets", .enabled(if: Chaos.mayDisturb), .explained, .serialized)
struct CompactionChaosTests {
  @Test func whatHappenedWhileWatchesWereCutIsNotMissedThoughItIsForgotten() async throws {
    try await World.run([]) { world in
      try await Chaos.run(world) { timeline in
        let servers = Servers(timeline: timeline)
        try await servers.restart("apiserver", apiserverFlags: "--watch-cache=false")
        var report = ChaosReport(title: "compactions")
        do {
          try await compact(world, servers, timeline, &report)
        } catch {
          try await servers.restart("apiserver")
          throw error
        }
        try await servers.restart("apiserver")
        return report
      }
    }
  }

  private func compact(
    _ world: World, _ servers: Servers, _ timeline: Timeline, _ report: inout ChaosReport
  ) async throws {
    let way = try await FaultyWay.open(world, rates: .calm, timeline: timeline)
    let sync = try await Chaos.persistently("buckets are there") { try await world.heldSync() }
    let controller = try await world.startController("--kubeconfig", way.kubeconfig)
    let listsBefore = try await controller.lists()
    let policy = world.policy("nightly", from: sync.source, to: sync.destination)
    try await world.create(policy)
    let rounds = max(3, Int(Chaos.duration.components.seconds / 60))
    for round in 0..<rounds {
      // One run at work, one that waits, one that has ended.
      let (atWork, waiting) = ("at-work-\(round)", "waiting-\(round)")
      sync.endpoint.hold()
      try sync.source.write("object-\(round)", "content of round \(round)")
      try await world.create(world.run(atWork, sync))
      try await world.rcloneRunning(atWork)
      try await world.create(world.run(waiting, sync))
      try await world.waiting(waiting)

      await way.proxy.blockWatches()
      let expirations = way.proxy.expirations
      // What is created, changed and deleted now, and by others only, no watch will ever tell.
      if round > 0 { try await world.kubectl("delete", "bucketsync", "new-\(round - 1)", "--wait=false") }
      try await world.kubectl("delete", "bucketsync", waiting, "--wait=false")
      try await world.create(world.run("new-\(round)", sync))
      try await world.syncNow("nightly", "\(round)")
      sync.release()
      try await world.kubectl("wait", "--for=condition=Complete", "--timeout=120s", "job/\(atWork)")
      try await servers.compact()
      way.proxy.letWatchesThrough()

      try await until("the server says that versions are too old") { way.proxy.expirations > expirations }
      try await world.success(of: atWork)
      try await world.gone(BucketSync.self, waiting)
      try await world.success(of: "new-\(round)")
      try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
        $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil
      }
      #expect(try sync.destination.objects() == sync.source.objects())
    }
    try await Invariants.all.verify(world)
    let manual = try await world.runs(of: "nightly").count
    if manual != rounds { report.violations.append("\(rounds) triggers made \(manual) runs") }
    report.figures = [
      ("rounds", rounds), ("410 of the real server", way.proxy.expirations),
      ("lists after them", Int(try await controller.lists() - listsBefore)),
    ]
    await way.close()
  }
}

extension Controller {
  /// How many complete lists it has read.
  fileprivate func lists() async throws -> Double {
    try await metrics().split(separator: "\n").filter { $0.contains("reflector_lists_total{") }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
  }
}

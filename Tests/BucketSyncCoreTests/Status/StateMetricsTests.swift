import BucketSyncAPI
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("Metrics of what exists")
struct StateMetricsTests {
  /// What a scrape says of `name`, one line a series.
  private func scrape(_ world: World, _ name: String) -> [String] {
    let registry = MetricsRegistry()
    StateMetrics(world.incarnation.services.caches, time: world.time).register(in: registry)
    return registry.exposition().split(separator: "\n").map(String.init)
      .filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
  }

  @Test("a policy tells when it last succeeded, and when it is due next")
  func times() async throws {
    let world = try World()
    try world.createPolicy("nightly")
    try await world.run()
    let labels = "{namespace=\"default\",policy=\"nightly\"}"
    let status = try #require(world.policy("nightly")?.status)
    let success = try #require(status.lastSuccessfulTime?.unixSeconds)
    let next = try #require(status.nextSyncTime?.unixSeconds)
    #expect(
      scrape(world, "bucket_sync_policy_last_success_timestamp_seconds") == [
        "bucket_sync_policy_last_success_timestamp_seconds\(labels) \(success)"
      ])
    #expect(
      scrape(world, "bucket_sync_policy_next_sync_timestamp_seconds") == [
        "bucket_sync_policy_next_sync_timestamp_seconds\(labels) \(next)"
      ])
    #expect(
      scrape(world, "bucket_sync_policy_last_run_failed") == ["bucket_sync_policy_last_run_failed\(labels) 0"])
    #expect(scrape(world, "bucket_sync_policy_ready") == ["bucket_sync_policy_ready\(labels) 1"])
  }

  @Test("a policy whose latest run failed says so, and never claims a success")
  func failure() async throws {
    let world = try World()
    world.cluster.jobs(named: "nightly", .fails(exitCode: 1, log: "no such bucket"))
    try world.createPolicy("nightly")
    try await world.run()
    #expect(
      scrape(world, "bucket_sync_policy_last_run_failed") == [
        "bucket_sync_policy_last_run_failed{namespace=\"default\",policy=\"nightly\"} 1"
      ])
    #expect(scrape(world, "bucket_sync_policy_last_success_timestamp_seconds") == [])
  }

  @Test("a deleted policy has no series any more")
  func deleted() async throws {
    let world = try World()
    try world.createPolicy("nightly")
    try await world.run()
    world.server.delete(BucketSyncPolicy.self, .named("nightly"))
    try await world.run()
    #expect(scrape(world, "bucket_sync_policy_ready") == [])
    #expect(scrape(world, "bucket_sync_policies") == ["bucket_sync_policies 0"])
  }

  @Test("the longest wait for locks is told while it lasts")
  func waiting() async throws {
    let world = try World()
    world.cluster.jobs(named: "first", .runsForEver)
    try world.createRun("first", timeout: "10m")
    try world.createRun("second")
    #expect(try await world.run { $0.isLive("first") && $0.run("second")?.status?.startTime != nil })
    world.time.advance(by: .seconds(90))
    #expect(scrape(world, "bucket_sync_longest_lock_wait_seconds") == ["bucket_sync_longest_lock_wait_seconds 90"])
    #expect(scrape(world, "bucket_sync_runs").contains("bucket_sync_runs{phase=\"Initialize\"} 1"))
    try await world.run()
    #expect(scrape(world, "bucket_sync_longest_lock_wait_seconds") == ["bucket_sync_longest_lock_wait_seconds 0"])
  }
}

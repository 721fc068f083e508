import BucketSyncAPI
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("The life of a run")
struct LifeOfARunTests {
  @Test("a tick becomes a run that syncs, gives everything back and says so")
  func success() async throws {
    let world = try World()
    try world.createPolicy("nightly")
    try await world.run()
    let run = try #require(world.runs.first)
    #expect(world.runs.count == 1)
    #expect(run.metadata.name == "nightly-1705284000")
    #expect(run.status?.phase == .finished)
    #expect(run.status?.result == .succeeded)
    #expect(run.status?.error == nil)
    #expect(run.status?.job == "nightly-1705284000")
    #expect(world.policy("nightly")?.status?.nextSyncTime?.description == "2024-01-16T02:00:00Z")
    #expect(world.policy("nightly")?.status?.lastSuccessfulTime != nil)
    #expect(try await world.brokenPromises() == [])
  }
}

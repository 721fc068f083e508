// The main job: objects arrive in a destination bucket because a policy said so.

import BucketSyncAPI
import KubernetesModel
import Testing

@Suite("What a sync does", .enabled(if: Testbed.hasEndpoints))
struct FirstSyncTests {
  @Test func aNewPolicyThatIsTriggeredCopiesEveryObject() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      for number in 0..<20 { try source.write("folder \(number % 3)/object-\(number)", "content \(number)") }
      try await world.startController()
      try await world.create(world.policy("nightly", from: source, to: destination))
      try await world.syncNow("nightly")

      let run = try await world.onlyRun(of: "nightly").metadata.name
      try await world.kubectl("wait", "--for=condition=Complete", "--timeout=120s", "bucketsync/\(run)")
      #expect(try destination.objects() == source.objects())
      #expect(run.hasPrefix("nightly-manual-"))

      let finished = try await world.success(of: run)
      #expect(finished.condition("Complete")?.status == .yes)
      #expect(finished.condition("LocksAcquired")?.status == .no)
      #expect(finished.status?.error == nil)
      #expect(finished.status?.finishTime != nil)
      let policy = try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
        $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil && $0.status?.active == 0
      }
      #expect(policy.metadata.annotations?[BucketSyncNames.Annotation.syncNowRun] == nil)
      #expect(policy.status?.lastSuccessfulTime == finished.status?.finishTime)
      #expect(policy.status?.lastManualRun == run)
    }
  }
}

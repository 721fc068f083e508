// What is not ours is neither taken for ours nor changed.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Testing

@Suite("What belongs to others", .enabled(if: Testbed.hasEndpoints), .explained)
struct ForeignObjectTests {
  @Test func aBucketSyncOfTheTicksNameIsLeftAlone() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      try await world.create(world.policy("often", from: source, to: destination, schedule: "@every 20s"))
      let policy = try await world.wait(for: BucketSyncPolicy.self, "often", "knows its next tick") {
        $0.status?.nextSyncTime != nil
      }
      let name = "often-\(try #require(policy.status?.nextSyncTime).unixSeconds)"
      let other = try await world.bucket("other", at: "A")
      try await world.create(world.run(name, from: other, to: destination))
      let before = try await world.success(of: name)
      try await until("nothing is left to be done about it") {
        try await world.get(BucketSync.self, name).metadata.finalizers?.isEmpty != false
      }
      let blocked = try await world.wait(for: BucketSyncPolicy.self, "often", "says what is in the way") {
        $0.condition("Ready")?.status == .no
      }
      #expect(blocked.status?.error?.contains(name) == true)
      #expect(blocked.condition("Ready")?.reason == "RunNotCreated")
      #expect(try await world.get(BucketSync.self, name).status == before.status)
      // Out of the way, the tick is made up for.
      try await world.kubectl("delete", "bucketsync", name)
      let run = try await world.onlyRun(of: "often").metadata.name
      try await world.suspend("often")
      try await world.success(of: run)
      try await world.wait(for: BucketSyncPolicy.self, "often", "is suspended") { $0.status?.error == nil }
    }
  }

  @Test func jobsPodsAndConfigMapsOfOthersAreLeftAlone() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      // As close to ours as others may come by accident.
      try await world.apply([
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": ["name": "other", "labels": ["app.kubernetes.io/managed-by": "bucket-sync"]],
        "spec": [
          "parallelism": 0,
          "template": [
            "spec": ["restartPolicy": "Never", "containers": [["name": "other", "image": "example.com/other"]]]
          ],
        ],
      ])
      let configMap = try await world.create(
        ConfigMap(
          metadata: ObjectMeta(
            name: "other",
            namespace: world.namespace,
            labels: ["app.kubernetes.io/managed-by": "bucket-sync"]
          ),
          data: ["bucket": source.name]
        )
      )
      let job = try await world.get(Job.self, "other")
      try await world.startController("--lock-timeout", "1s")
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      try await Task.sleep(for: .seconds(2))
      #expect(try await world.get(Job.self, "other") == job)
      #expect(try await world.get(ConfigMap.self, "other") == configMap)
    }
  }
}

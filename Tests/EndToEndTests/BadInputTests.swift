// Input that cannot work, and what it gets: a clear error, nothing stuck, nothing of others touched. No rclone is ever
// started here, so these tests run on any cluster.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Testing

@Suite("What bad input gets", .enabled(if: Testbed.isEnabled), .explained)
struct BadInputTests {
  @Test func aWrongSpecIsExplainedAndMakesNoRunUntilItIsMended() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      try await world.startController()
      let wrongs: [(name: String, change: (inout BucketSyncPolicy.Spec) -> Void, words: String)] = [
        ("cron", { $0.schedule = "61 * * * *" }, "61"),
        ("date", { $0.schedule = "0 0 30 2 *" }, "spec.schedule"),
        ("remote", { $0.source = "elsewhere:bucket" }, "elsewhere"),
        ("equal", { $0.destination = $0.source }, "is the same as"),
        ("nested", { $0.destination = $0.source + "/below" }, "lies inside of"),
        ("duplicate", { $0.sourceEnv?.append(EnvVar(name: "TYPE", value: "s3")) }, "TYPE is already set"),
        ("label", { $0.jobLabels = ["controller-uid": "mine"] }, "controller-uid"),
        ("label-domain", { $0.jobLabels = ["batch.kubernetes.io/x": "mine"] }, "reserved"),
        ("timeout", { $0.timeout = "soon" }, "spec.timeout"),
      ]
      for wrong in wrongs {
        var policy = world.policy(wrong.name, from: source, to: destination)
        wrong.change(&policy.spec)
        do { try await world.create(policy) } catch let error as APIError where error.isInvalid {
          // Refused by the API server at once, which is better still, as long as it says what for.
          #expect("\(error)".contains("spec."))
          continue
        }
        let answer = try await world.wait(for: BucketSyncPolicy.self, wrong.name, "is not ready") {
          $0.condition("Ready")?.status == .no
        }
        #expect(answer.status?.error?.contains(wrong.words) == true, "\(wrong.name): \(answer.status?.error ?? "-")")
        #expect(answer.condition("Ready")?.message == answer.status?.error)
        #expect(answer.status?.nextSyncTime == nil)
        try await world.syncNow(wrong.name)
      }
      try await Task.sleep(for: .seconds(1))
      #expect(try await world.all(BucketSync.self).isEmpty)

      try await world.change("cron", ["schedule": "0 0 29 2 *"])
      let mended = try await world.wait(for: BucketSyncPolicy.self, "cron", "is ready") {
        $0.condition("Ready")?.status == .yes
      }
      #expect(mended.status?.error == nil)
      #expect(mended.status?.nextSyncTime != nil)
      // The trigger that came before is not lost.
      let run = try await world.onlyRun(of: "cron").metadata.name
      try await world.kubectl("delete", "bucketsync", run)
    }
  }

  @Test func aRunWithAWrongSpecFailsAtOnce() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      try await world.startController()
      var run = world.run("once", from: source, to: destination)
      run.spec.destination = source.name + "/below"
      run.spec.sourceEnv?.append(EnvVar(name: "TYPE", value: "local"))
      try await world.create(run)
      let (finished, error) = try await world.failure(of: "once")
      #expect(error.contains("lies inside of"))
      #expect(error.contains("TYPE is already set"))
      #expect(finished.condition("Failed")?.reason == "InvalidSpec")
      #expect(world.history.jobs.isEmpty)
    }
  }

  @Test func aJobOfTheRunsNameIsLeftAlone() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      try await world.apply([
        "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "once"],
        "spec": [
          "parallelism": 0,
          "template": [
            "spec": ["restartPolicy": "Never", "containers": [["name": "other", "image": "example.com/other"]]]
          ],
        ],
      ])
      let before = try await world.get(Job.self, "once")
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      let (run, error) = try await world.failure(of: "once")
      #expect(error.contains("does not belong to this run"))
      #expect(run.condition("Failed")?.reason == "JobNameTaken")
      #expect(try await world.get(Job.self, "once") == before)
      // Not even when the run goes.
      try await world.kubectl("delete", "bucketsync", "once", "--timeout=60s")
      #expect(try await world.get(Job.self, "once") == before)
    }
  }

  @Test func aMissingLockNamespaceIsNamedAndWaitedFor() async throws {
    // The locks are not in the namespace that is looked at.
    try await World.run([.tidiness, .silence, .survival]) { world in
      let (source, destination) = try await world.imaginaryBuckets()
      let missing = "\(world.namespace)-missing"
      try await world.startController("--namespace", missing)
      try await world.create(world.run("once", from: source, to: destination))
      let blocked = try await world.wait(for: BucketSync.self, "once", "says what is missing") {
        $0.status?.error?.contains(missing) == true
      }
      #expect(blocked.status?.phase == .initialize)
      #expect(blocked.status?.error?.contains("does not exist") == true)
      try await world.makeNamespace(missing)
      try await world.wait(for: BucketSync.self, "once", "has gone on") { $0.status?.phase == .sync }
      try await world.kubectl("delete", "bucketsync", "once")
    }
  }
}

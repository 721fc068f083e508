// Syncs that cannot work: the run fails, says why, keeps secrets to itself and leaves nothing behind.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

@Suite("How a sync fails", .enabled(if: Testbed.hasEndpoints), .explained)
struct FailureTests {
  @Test func wrongCredentialsAreReportedInRclonesWords() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      let wrongKey = "wrong-secret-key-that-nobody-may-read"
      try await world.createSecret("wrong", ["SECRET_ACCESS_KEY": wrongKey])
      try await world.startController()
      var run = world.run("once", from: source, to: destination)
      run.spec.sourceEnv?.removeAll { $0.name == "SECRET_ACCESS_KEY" }
      run.spec.sourceEnv?.append(
        EnvVar(
          name: "SECRET_ACCESS_KEY",
          valueFrom: ["secretKeyRef": ["name": "wrong", "key": "SECRET_ACCESS_KEY"]]
        )
      )
      try await world.create(run)
      let error = try await world.failure(of: "once").error
      #expect(error.contains("rclone ended with exit code"))
      #expect(error.contains("credentials") || error.contains("SignatureDoesNotMatch") || error.contains("403"))
      #expect(!error.contains(wrongKey))
      #expect(try destination.objects().isEmpty)
    }
  }

  @Test func aMissingSourceBucketIsReported() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try destination.write("object", "must not be deleted")
      source.delete()
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      let error = try await world.failure(of: "once").error
      #expect(error.contains("the source does not exist"))
      #expect(try destination.objects().count == 1)
    }
  }

  @Test func aMissingDestinationBucketIsMadeByRclone() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      destination.delete()
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }

  @Test(arguments: [
    ["name": "no-such-secret", "key": "REGION"],
    ["name": "keys-a", "key": "no-such-key"],
  ])
  func aMissingSecretOrKeyFailsTheRunWhenItsPodHasNotStartedInTime(reference: [String: String]) async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController("--job-start-timeout", "8s")
      var run = world.run("once", from: source, to: destination)
      run.spec.sourceEnv?.append(EnvVar(name: "REGION", valueFrom: ["secretKeyRef": JSONValue(reference)]))
      try await world.create(run)
      let error = try await world.failure(of: "once").error
      #expect(reference.values.contains { $0.hasPrefix("no-such") && error.contains($0) })
      #expect(error.contains("8s"))
    }
  }

  @Test func aSecretThatAppearsInTimeLetsTheRunGoOn() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      try await world.startController()
      var run = world.run("once", from: source, to: destination)
      run.spec.sourceEnv?.append(
        EnvVar(name: "REGION", valueFrom: ["secretKeyRef": ["name": "late", "key": "REGION"]])
      )
      try await world.create(run)
      let waiting = try await world.wait(for: BucketSync.self, "once", "tells what its pod lacks") {
        $0.condition("JobRunning")?.reason == "CreateContainerConfigError"
      }
      #expect(waiting.condition("JobRunning")?.message.contains("late") == true)
      try await world.createSecret("late", ["REGION": "us-east-1"])
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }

  @Test func anImageThatCannotBePulledFailsTheRun() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController(
        "--rclone-image",
        "docker.io/rclone/rclone:no-such-tag",
        "--job-start-timeout",
        "8s"
      )
      try await world.create(world.run("once", from: source, to: destination))
      let (run, error) = try await world.failure(of: "once")
      #expect(error.contains("no-such-tag"))
      #expect(run.condition("Failed")?.reason == "ImagePullFailed")
    }
  }

  @Test func aPodThatNoNodeTakesFailsTheRun() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      // Every container asks for more memory than there is.
      try await world.apply([
        "apiVersion": "v1", "kind": "LimitRange", "metadata": ["name": "giants"],
        "spec": [
          "limits": [["type": "Container", "default": ["memory": "900Ti"], "defaultRequest": ["memory": "900Ti"]]]
        ],
      ])
      try await world.startController("--job-start-timeout", "8s")
      try await world.create(world.run("once", from: source, to: destination))
      let (run, error) = try await world.failure(of: "once")
      #expect(error.contains("no node takes the pod"))
      #expect(error.contains("Insufficient memory"))
      #expect(run.condition("Failed")?.reason == "Unschedulable")
    }
  }

  @Test func aQuotaThatForbidsThePodFailsTheRun() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.forbidPods()
      try await world.startController("--job-start-timeout", "8s")
      try await world.create(world.run("once", from: source, to: destination))
      #expect(try await world.failure(of: "once").error.contains("quota"))
    }
  }
}

@Suite("What stops a sync that is under way", .enabled(if: Testbed.hasNetwork), .explained)
struct InterruptionTests {
  @Test func aTimeoutStopsTheJobBeforeTheLocksAreReleased() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      var run = world.run("once", sync)
      run.spec.timeout = "5s"
      try await world.create(run)
      let (finished, error) = try await world.failure(of: "once")
      #expect(error.contains("spec.timeout of 5s"))
      #expect(finished.condition("Failed")?.reason == "DeadlineExceeded")
      #expect(world.history.podLives.count == 1)
    }
  }

  @Test func aDeadlineThatTheJobControllerForgetsIsKeptByTheRun() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      var run = world.run("once", sync)
      run.spec.timeout = "10s"
      try await world.create(run)
      try await world.rcloneRunning("once")
      // The Job controller of Kubernetes 1.20 looks once, `timeout` after it has first seen the Job, and then reckons
      // from this. It moves it on by itself now and then (kubernetes/kubernetes#107226), and the deadline is lost.
      try await Task.sleep(for: .seconds(1))
      try await world.changeJobStatus("once", ["startTime": .string("\(Timestamp(Date()))")])
      let (finished, error) = try await world.failure(of: "once")
      #expect(error.contains("spec.timeout of 10s"))
      #expect(finished.condition("Failed")?.reason == "DeadlineExceeded")
      #expect(world.history.podLives.count == 1)
      #expect(try await world.kubectl("get", "events").contains("DeadlineEnforced"))
    }
  }

  @Test func aPodThatOutlivesItsJobIsStoppedBeforeTheLocksAreReleased() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      // What the Job controller of Kubernetes 1.20 leaves when its request to delete the pod is refused.
      let now = Timestamp(Date()).description
      let failure: JSONValue = [
        "type": "Failed", "status": "True", "reason": "DeadlineExceeded", "lastTransitionTime": .string(now),
      ]
      try await world.changeJobStatus("once", ["conditions": [failure]])
      let (finished, _) = try await world.failure(of: "once")
      #expect(finished.condition("Failed")?.reason == "DeadlineExceeded")
      #expect(PodProcess.all(syncing: sync.source).isEmpty)
    }
  }

  @Test func aJobDeletedByHandFailsItsRun() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      try await world.kubectl("delete", "job", "once", "--wait=false")
      let (run, error) = try await world.failure(of: "once")
      #expect(error.contains("deleted by somebody else"))
      #expect(run.condition("Failed")?.reason == "JobDeleted")
    }
  }

  @Test func aPodDeletedByHandEndsItsRunOrIsReplaced() async throws {
    // Which of both is up to the version of the Job controller; nothing may get stuck.
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      try await world.kubectl("delete", "pod", "--selector", "job-name=once")
      sync.release()
      let run = try await world.finish(of: "once")
      if run.status?.result == .failed {
        #expect(run.status?.error?.contains("deleted") == true)
      } else {
        #expect(try sync.destination.objects() == sync.source.objects())
      }
    }
  }

  @Test func aPodThatIsSlowToStopIsNotReplacedWhileItsRcloneIsThere() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      let rclone = try await PodProcess.rclone(syncing: sync.source)
      rclone.freeze()
      try await world.kubectl("delete", "pod", "--selector", "job-name=once", "--wait=false")
      // Long enough for a replacement to start, less than a pod's grace period.
      for _ in 0..<50 {
        try await Task.sleep(for: .milliseconds(200))
        try #require(PodProcess.all(syncing: sync.source).count <= 1)
      }
      rclone.thaw()
      sync.release()
      try await world.finish(of: "once")
    }
  }
}

extension World {
  /// Writes into a Job's status, as its controller does.
  fileprivate func changeJobStatus(_ name: String, _ fields: JSONValue) async throws {
    let key = ObjectKey(namespace: namespace, name: name)
    _ = try await client.patch(Job.self, key, .merge(["status": fields]), subresource: .status)
  }
}

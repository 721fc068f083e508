// What is deleted while it is at work stops first, then gives its buckets back, then goes.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Testing

@Suite("What deletion does", .enabled(if: Testbed.hasNetwork), .explained)
struct DeletionTests {
  @Test func aRunDeletedWhileItWaitsJustGoes() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      try await world.create(world.run("b", sync))
      try await world.waiting("b")
      try await world.kubectl("delete", "bucketsync", "b", "--timeout=60s")
      #expect(world.history.jobsByRun.count == 1)
      #expect(try await world.locks().count == 2)
      sync.release()
      try await world.success(of: "a")
    }
  }

  @Test func aRunDeletedWhileRcloneIsAtWorkStopsItBeforeOthersGetTheBuckets() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      try await world.create(world.run("b", sync))
      try await world.waiting("b")
      try await world.kubectl("delete", "bucketsync", "a", "--timeout=60s")
      try await world.gone(Job.self, "a")
      sync.release()
      try await world.success(of: "b")
      #expect(world.history.podLives.count == 2)
    }
  }

  @Test func aRunDeletedInPhaseFinalizeKeepsItsLocksUntilItsPodHasStopped() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      var run = world.run("once", sync)
      run.spec.timeout = "8s"
      try await world.create(run)
      try await world.rcloneRunning("once")
      // It does not hear that its time is over.
      let rclone = try await PodProcess.rclone(syncing: sync.source)
      rclone.freeze()
      try await world.wait(for: BucketSync.self, "once", "is in phase Finalize") { $0.status?.phase == .finalize }
      try await world.kubectl("delete", "bucketsync", "once", "--wait=false")
      try await Task.sleep(for: .seconds(1))
      #expect(try await world.locks().count == 2)
      rclone.thaw()
      try await world.gone(BucketSync.self, "once")
    }
  }

  @Test func aJobThatAppearsAfterItsRunHasFinishedIsDeletedAndTold() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      let run = try await world.success(of: "once")
      try await world.gone(Job.self, "once")
      // What a request does that was held up on its way; no pod of it may start, this is about the Job.
      try await world.forbidPods()
      try await world.apply([
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": [
          "name": "once", "labels": ["app.kubernetes.io/managed-by": "bucket-sync"],
          "ownerReferences": [
            [
              "apiVersion": .string(BucketSync.resource.apiVersion), "kind": "BucketSync", "name": "once",
              "uid": .string(run.metadata.uid ?? ""), "controller": true,
            ]
          ],
        ],
        "spec": [
          "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "rclone", "image": "rclone"]]]]
        ],
      ])
      try await world.gone(Job.self, "once")
      try await until("an Event tells") {
        try await world.kubectl("get", "events", "--field-selector", "involvedObject.name=once")
          .contains("LateJobDeleted")
      }
      #expect(try await world.get(BucketSync.self, "once").status == run.status)
    }
  }

  @Test func aFinishedRunIsDeletedAtOnce() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      try await world.kubectl("delete", "bucketsync", "once", "--timeout=60s")
    }
  }

  @Test(arguments: ["background", "foreground"])
  func aPolicyDeletedWhileItsRunIsActiveTakesTheRunWithIt(cascade: String) async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.policy("nightly", from: sync.source, to: sync.destination))
      try await world.syncNow("nightly")
      let run = try await world.onlyRun(of: "nightly").metadata.name
      try await world.rcloneRunning(run)
      try await world.kubectl("delete", "bucketsyncpolicy", "nightly", "--cascade=\(cascade)", "--wait=false")
      try await world.gone(BucketSync.self, run)
      try await world.gone(BucketSyncPolicy.self, "nightly")
      #expect(try sync.destination.objects().isEmpty)
    }
  }

  @Test func aNamespaceIsDeletedWithARunAtWork() async throws {
    // The locks are in another namespace, as they are in an installation.
    try await World.run([.survival]) { world in
      let sync = try await world.heldSync()
      let lockNamespace = "\(world.namespace)-locks"
      try await world.makeNamespace(lockNamespace)
      try await world.startController("--namespace", lockNamespace)
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      try await world.create(world.run("b", sync))
      try await world.waiting("b")
      try await world.client.delete(Namespace.self, ObjectKey(namespace: nil, name: world.namespace))
      try await until("the namespace is gone") {
        try await world.kubectl("get", "namespace", "--output", "name").contains("/\(world.namespace)\n") == false
      }
      let locks = try await world.client.list(
        ConfigMap.self,
        namespace: lockNamespace,
        labels: "\(BucketSyncNames.group)/lock=true"
      ).items
      #expect(locks.isEmpty)
    }
  }
}

// The controller dies, at any point: the next one ends the run well, with one Job, and nobody else got at the buckets.
//
// Where a crash leaves objects in a state that lasts only for a moment, that state is made by hand before a controller
// is started; so the point is met each time.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Testing

@Suite("What a crash leaves to the next controller", .enabled(if: Testbed.hasEndpoints), .explained)
struct CrashPointTests {
  @Test func afterTheFirstOfBothLocks() async throws {
    try await World.run { world in
      let (run, source, _) = try await world.preparedRun()
      try await world.craftStatus(run) { $0.phase = .initialize }
      try await world.craftLock(source, holder: run)
      try await world.startController()
      try await world.success(of: "once")
    }
  }

  @Test func afterBothLocks() async throws {
    try await World.run { world in
      let (run, source, destination) = try await world.preparedRun()
      try await world.craftStatus(run) { $0.phase = .initialize }
      try await world.craftLock(source, holder: run)
      try await world.craftLock(destination, holder: run)
      try await world.startController()
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }

  @Test func afterBothLocksAndADeletion() async throws {
    try await World.run { world in
      let (run, source, destination) = try await world.preparedRun()
      try await world.craftLock(source, holder: run)
      try await world.craftLock(destination, holder: run)
      try await world.kubectl("delete", "bucketsync", "once", "--wait=false")
      try await world.startController()
      try await world.gone(BucketSync.self, "once")
      #expect(world.history.jobs.isEmpty)
    }
  }

  @Test func afterPhaseSyncWasStoredButNoJobCreated() async throws {
    try await World.run { world in
      let (run, source, destination) = try await world.preparedRun()
      try await world.craftLock(source, holder: run)
      try await world.craftLock(destination, holder: run)
      try await world.craftStatus(run) { status in
        status.phase = .sync
        status.job = "once"
      }
      try await world.startController()
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())
    }
  }

  @Test func afterTheJobWasSeenAndHasVanished() async throws {
    try await World.run { world in
      let (run, source, destination) = try await world.preparedRun()
      try await world.craftLock(source, holder: run)
      try await world.craftLock(destination, holder: run)
      try await world.craftStatus(run) { status in
        status.phase = .sync
        status.job = "once"
        status.jobUID = "of-a-job-that-is-gone"
      }
      try await world.startController()
      let error = try await world.failure(of: "once").error
      #expect(error.contains("deleted by somebody else"))
      #expect(world.history.jobs.isEmpty)
    }
  }

  @Test func afterTheOutcomeWasStored() async throws {
    try await World.run { world in
      let (run, source, destination) = try await world.preparedRun()
      try await world.craftLock(source, holder: run)
      try await world.craftLock(destination, holder: run)
      try await world.craftStatus(run) { status in
        status.phase = .finalize
        status.job = "once"
        status.jobUID = "of-a-job-that-is-gone"
        status.result = .failed
        status.error = "what had gone wrong"
      }
      try await world.startController()
      let error = try await world.failure(of: "once").error
      #expect(error == "what had gone wrong")
    }
  }

  @Test func afterOneOfBothLocksWasReleased() async throws {
    try await World.run { world in
      let (run, _, destination) = try await world.preparedRun()
      try await world.craftLock(destination, holder: run)
      try await world.craftStatus(run) { status in
        status.phase = .finalize
        status.result = .succeeded
      }
      try await world.startController()
      try await world.success(of: "once")
    }
  }

  @Test func afterATriggerWasRecordedButNoRunCreated() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      var policy = world.policy("nightly", from: source, to: destination)
      policy.metadata.annotations = [
        BucketSyncNames.Annotation.syncNow: "", BucketSyncNames.Annotation.syncNowRun: "nightly-manual-1705316400",
      ]
      try await world.create(policy)
      try await world.startController()
      try await world.success(of: "nightly-manual-1705316400")
      try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
        $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil
      }
      #expect(try await world.runs(of: "nightly").count == 1)
    }
  }

  @Test func againAndAgainWhileFiveRunsShareBuckets() async throws {
    try await World.run { world in
      let one = try await world.bucket("one", at: "A")
      let two = try await world.bucket("two", at: "B")
      let three = try await world.bucket("three", at: "C")
      try one.write("object", "content")
      let pairs = [(one, two), (two, three), (three, one), (one, three), (two, one)]
      for (number, pair) in pairs.enumerated() {
        try await world.create(world.run("run-\(number)", from: pair.0, to: pair.1))
      }
      var crashes = 0
      while try await !world.all(BucketSync.self).allSatisfy(\.isFinished), crashes < 40 {
        let controller = try await world.startController(waitUntilReady: false)
        try await Task.sleep(for: .milliseconds(Int.random(in: 100...1800)))
        await controller.crash()
        crashes += 1
      }
      try await world.startController()
      for number in pairs.indices { try await world.success(of: "run-\(number)") }
      #expect(crashes > 2)
    }
  }
}

@Suite("How a sync survives its controller", .enabled(if: Testbed.hasNetwork), .explained)
struct CrashTests {
  @Test func aCrashWhileARunWaitsForABucket() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      try await world.create(world.run("b", sync))
      try await world.waiting("b")
      await first.crash()
      try await world.startController()
      sync.release()
      try await world.success(of: "a")
      try await world.success(of: "b")
    }
  }

  @Test func aCrashAsSoonAsTheJobIsThere() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("once", sync))
      while world.history.jobs.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
      await first.crash()
      try await world.startController()
      try await world.rcloneRunning("once")
      sync.release()
      try await world.success(of: "once")
      #expect(try sync.destination.objects() == sync.source.objects())
    }
  }

  @Test func aCrashWhileRcloneIsAtWork() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      await first.crash()
      try await world.startController()
      sync.release()
      try await world.success(of: "once")
      #expect(world.history.podLives.count == 1)
    }
  }

  @Test func aSyncThatEndsWhileNoControllerIsThere() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      await first.crash()
      sync.release()
      try await world.kubectl("wait", "--for=condition=Complete", "--timeout=120s", "job/once")
      #expect(try await world.locks().count == 2)
      try await world.startController()
      try await world.success(of: "once")
    }
  }

  @Test func aCrashInPhaseFinalize() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      // It does not hear that it shall stop, and so the run stays in its phase.
      let rclone = try await PodProcess.rclone(syncing: sync.source)
      rclone.freeze()
      try await world.kubectl("delete", "bucketsync", "once", "--wait=false")
      try await world.wait(for: BucketSync.self, "once", "is in phase Finalize") { $0.status?.phase == .finalize }
      await first.crash()
      try await world.startController()
      try await Task.sleep(for: .seconds(1))
      #expect(try await world.locks().count == 2)
      rclone.thaw()
      try await world.gone(BucketSync.self, "once")
    }
  }

  @Test func noControllerForLongerThanTheLockTimeoutBreaksNoLockOfALiveJob() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController("--lock-timeout", "1s")
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      await first.crash()
      try await world.create(world.run("b", sync))
      try await Task.sleep(for: .seconds(3))
      try await world.startController("--lock-timeout", "1s")
      try await world.waiting("b")
      // Several lock timeouts.
      try await Task.sleep(for: .seconds(4))
      #expect(try await world.get(BucketSync.self, "b").status?.phase == .initialize)
      #expect(try await world.locks().count == 2)
      sync.release()
      try await world.success(of: "a")
      try await world.success(of: "b")
    }
  }

  @Test func aLockOutlivesItsRunAsLongAsThePodIsThere() async throws {
    // The finalizer is torn off and the run is gone, but rclone is still at work.
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      await first.crash()
      let pod = try #require(try await world.all(Pod.self).first).key
      _ = try await world.client.patch(
        Pod.self,
        pod,
        .merge(["metadata": ["finalizers": ["test.example.com/stay"]]])
      )
      _ = try await world.client.patch(
        BucketSync.self,
        ObjectKey(namespace: world.namespace, name: "a"),
        .merge(["metadata": ["finalizers": nil]])
      )
      try await world.kubectl("delete", "bucketsync", "a", "--cascade=orphan")
      try await world.startController("--lock-timeout", "1s")
      try await world.create(world.run("b", sync))
      try await world.waiting("b")
      try await Task.sleep(for: .seconds(4))
      #expect(try await world.get(BucketSync.self, "b").status?.phase == .initialize)
      #expect(try await world.locks().count == 2)

      sync.release()
      _ = try await world.client.patch(Pod.self, pod, .merge(["metadata": ["finalizers": nil]]))
      try await world.kubectl("delete", "job", "a")
      try await world.success(of: "b")
    }
  }

  @Test func anAPIServerThatIsAwayWhileTheSyncEnds() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let proxy = try await APIProxy.start(world)
      try await world.startController("--kubeconfig", proxy.kubeconfig)
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      await proxy.stop()
      sync.release()
      try await world.kubectl("wait", "--for=condition=Complete", "--timeout=120s", "job/once")
      #expect(try await world.get(BucketSync.self, "once").status?.phase == .sync)
      try await proxy.start()
      try await world.success(of: "once")
      try await world.wait(for: BucketSync.self, "once", "has been let go") { ($0.metadata.finalizers ?? []).isEmpty }
      await proxy.stop()
    }
  }

  @Test func anOrderlyStopLeavesTheJobToTheNextController() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let first = try await world.startController()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      #expect(try await first.terminate() == 0)
      #expect(try await world.find(Job.self, "once") != nil)
      #expect(try await world.locks().count == 2)
      try await world.startController()
      sync.release()
      try await world.success(of: "once")
      #expect(world.history.podLives.count == 1)
    }
  }
}

@Suite("Several replicas", .enabled(if: Testbed.hasNetwork), .explained)
struct LeaderTests {
  @Test func theOtherReplicaGoesOnWhenTheLeaderDies() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let leader = try await world.startController("--leader-election", environment: ["POD_NAME": "one"])
      let holder = try await world.leader()
      try await world.startController("--leader-election", environment: ["POD_NAME": "two"])
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      #expect(try await world.leader() == holder)
      await leader.crash()
      sync.release()
      try await world.success(of: "once")
      #expect(try await world.leader() != holder)
    }
  }

  @Test func aLeaderThatIsStoppedGivesTheLeaseUp() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let leader = try await world.startController("--leader-election")
      _ = try await world.leader()
      try await world.create(world.run("once", sync))
      try await world.rcloneRunning("once")
      #expect(try await leader.terminate() == 0)
      let holder = try await world.get(Lease.self, "bucket-sync").spec?.holderIdentity ?? ""
      #expect(holder.isEmpty)
      try await world.startController("--leader-election")
      sync.release()
      try await world.success(of: "once")
    }
  }

  @Test func aLeaderThatWasFrozenForTooLongWritesNothingWhenItWakesUp() async throws {
    try await World.run([.exclusiveness, .tidiness, .silence]) { world in
      let sync = try await world.heldSync()
      let frozen = try await world.startController("--leader-election")
      let holder = try await world.leader()
      try await world.create(world.run("a", sync))
      try await world.rcloneRunning("a")
      frozen.process.freeze()
      try await world.startController("--leader-election")
      try await world.wait(for: Lease.self, "bucket-sync", "has another holder") {
        $0.spec?.holderIdentity != holder && $0.spec?.holderIdentity?.isEmpty == false
      }
      sync.release()
      try await world.success(of: "a")
      try await world.create(world.run("b", sync))
      frozen.process.thaw()
      try await world.success(of: "b")
      // It has noticed that others lead, and left.
      #expect(try await frozen.process.exitCode() != 0)
    }
  }
}

extension World {
  /// A run that exists, with its buckets, before any controller has seen it.
  fileprivate func preparedRun() async throws -> (run: BucketSync, source: Bucket, destination: Bucket) {
    let source = try await bucket("from", at: "A")
    let destination = try await bucket("to", at: "B")
    try source.write("object", "content")
    var prepared = run("once", from: source, to: destination)
    prepared.metadata.finalizers = [BucketSyncNames.finalizer]
    return (try await create(prepared), source, destination)
  }

  /// Who leads, once somebody does.
  fileprivate func leader() async throws -> String {
    let lease = try await wait(for: Lease.self, "bucket-sync", "is held") {
      $0.spec?.holderIdentity?.isEmpty == false
    }
    return lease.spec?.holderIdentity ?? ""
  }
}

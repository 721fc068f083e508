// Two syncs never touch one bucket at the same time, and nobody waits for ever. That no two pods overlap is checked
// after every test (see Invariants); these tests see to it that they would if nothing kept them from it.

import BucketSyncAPI
import KubernetesModel
import Testing

@Suite("How syncs share buckets", .enabled(if: Testbed.hasEndpoints), .explained)
struct LockingTests {
  @Test func policiesThatShareABucketTakeTurns() async throws {
    try await World.run { world in
      let shared = try await world.bucket("shared", at: "A")
      try shared.write("object", "content")
      try await world.startController()
      for number in 1...3 {
        let destination = try await world.bucket("to-\(number)", at: "B")
        try await world.create(world.policy("policy-\(number)", from: shared, to: destination))
      }
      for number in 1...3 { try await world.syncNow("policy-\(number)") }
      for number in 1...3 {
        try await world.success(of: try await world.onlyRun(of: "policy-\(number)").metadata.name)
      }
      // By the kubelet's clock as well, which counts whole seconds.
      let lives = world.history.podLives.sorted { ($0.startedAt?.unixSeconds ?? 0) < ($1.startedAt?.unixSeconds ?? 0) }
      try #require(lives.count == 3)
      for (one, next) in zip(lives, lives.dropFirst()) {
        #expect(try #require(one.finishedAt) <= #require(next.startedAt))
      }
    }
  }

  @Test func syncsInOppositeDirectionsDoNotBlockEachOther() async throws {
    try await World.run { world in
      let one = try await world.bucket("one", at: "A")
      let other = try await world.bucket("other", at: "B")
      try one.write("object", "content")
      try await world.startController()
      for round in 1...3 {
        try await world.create(world.run("there-\(round)", from: one, to: other))
        try await world.create(world.run("back-\(round)", from: other, to: one))
      }
      for round in 1...3 {
        try await world.success(of: "there-\(round)")
        try await world.success(of: "back-\(round)")
      }
      #expect(world.history.podLives.count == 6)
    }
  }

  @Test func tenRunsOnOverlappingBucketsGoOldestFirst() async throws {
    try await World.run { world in
      var buckets: [Bucket] = []
      for number in 0..<5 { buckets.append(try await world.bucket("b\(number)", at: number % 2 == 0 ? "A" : "B")) }
      // Of the same second or not: names sort as times do.
      for number in 0..<10 {
        try await world.create(
          world.run(
            "run-\(number)",
            from: buckets[number % 5],
            to: buckets[(number * 2 + 1) % 5 == number % 5 ? (number + 1) % 5 : (number * 2 + 1) % 5]
          )
        )
      }
      try await world.startController()
      for number in 0..<10 { try await world.success(of: "run-\(number)") }

      let uids = try await world.all(BucketSync.self).reduce(into: [:]) { $0[$1.metadata.uid ?? ""] = $1.metadata.name }
      let lives = world.history.podLives
      let wanted = world.history.bucketsByRun
      #expect(lives.count == 10)
      for (index, life) in lives.enumerated() {
        for later in lives[(index + 1)...] where !(wanted[life.run] ?? []).isDisjoint(with: wanted[later.run] ?? []) {
          let (first, second) = (uids[life.run] ?? "", uids[later.run] ?? "")
          #expect(first < second, "\(first) overtook \(second)")
        }
      }
    }
  }

  @Test func deletingALockByHandWakesWhoWaitsForIt() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      let lock = try await world.craftLock(source, holder: "somebody", uid: "none-that-exists")
      try await world.create(world.run("once", from: source, to: destination))
      let waiting = try await world.waiting("once")
      #expect(waiting.condition("LocksAcquired")?.message.contains("somebody") == true)
      try await world.kubectl("delete", "configmap", lock.metadata.name)
      try await world.success(of: "once")
    }
  }

  @Test func anOrphanedLockIsRemovedAfterTheLockTimeout() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.craftLock(source, holder: "gone", uid: "of-a-run-that-is-gone")
      try await world.startController("--lock-timeout", "3s")
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      let lock = try #require(world.history.holdings.first { $0.run == "of-a-run-that-is-gone" })
      #expect(lock.until < .max)
    }
  }

  @Test func whatIsInTheWayOfALockButIsNoneIsLeftAlone() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      let other = try await world.bucket("other", at: "A")
      let unlabelled = try await world.create(
        ConfigMap(
          metadata: ObjectMeta(name: world.lockName(source), namespace: world.namespace),
          data: ["of": "somebody"]
        )
      )
      let malformed = try await world.create(
        ConfigMap(
          metadata: ObjectMeta(
            name: world.lockName(other),
            namespace: world.namespace,
            labels: ["\(BucketSyncNames.group)/lock": "true"]
          ),
          data: ["bucket": other.name]
        )
      )
      try await world.startController("--lock-timeout", "1s")
      try await world.create(world.run("blocked", from: source, to: destination))
      try await world.create(world.run("blocked-too", from: other, to: try await world.bucket("to-2", at: "B")))
      for (run, configMap) in [("blocked", unlabelled), ("blocked-too", malformed)] {
        let message = try await world.waiting(run).condition("LocksAcquired")?.message ?? ""
        #expect(message.contains(configMap.metadata.name))
        #expect(message.contains("kubectl delete configmap"))
      }
      // Longer than orphans live.
      try await Task.sleep(for: .seconds(3))
      for configMap in [unlabelled, malformed] {
        #expect(try await world.get(ConfigMap.self, configMap.metadata.name) == configMap)
        try await world.kubectl("delete", "configmap", configMap.metadata.name)
      }
      try await world.success(of: "blocked-too")
      try await world.success(of: "blocked")
    }
  }
}

@Suite("How syncs wait for each other", .enabled(if: Testbed.hasNetwork), .explained)
struct WaitingTests {
  @Test func aTriggerDuringARunMakesARunThatWaitsForIt() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(
        world.policy("often", from: sync.source, to: sync.destination, schedule: "@every 3s")
      )
      let scheduled = try await world.onlyRun(of: "often").metadata.name
      try await world.rcloneRunning(scheduled)
      try await world.suspend("often")
      try await world.syncNow("often")
      try await until("the trigger has made a run") {
        try await world.runs(of: "often").contains { $0.metadata.name.hasPrefix("often-manual-") }
      }
      let manual = try #require(
        try await world.runs(of: "often").map(\.metadata.name).first { $0.hasPrefix("often-manual-") }
      )
      try await world.waiting(manual)
      sync.release()
      try await world.success(of: scheduled)
      try await world.success(of: manual)
    }
  }

  @Test func anotherTriggerDuringTheRunOfATriggerIsNotLost() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.policy("nightly", from: sync.source, to: sync.destination))
      try await world.syncNow("nightly", "first")
      let first = try await world.onlyRun(of: "nightly").metadata.name
      try await world.rcloneRunning(first)
      try await world.syncNow("nightly", "second")
      sync.release()
      try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
        $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil
      }
      let runs = try await world.runs(of: "nightly")
      #expect(runs.count == 2)
      for run in runs { try await world.success(of: run.metadata.name) }
    }
  }

  @Test func ticksDuringARunLeaveAtMostOneRunWaiting() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(
        world.policy("often", from: sync.source, to: sync.destination, schedule: "@every 2s")
      )
      let first = try await world.onlyRun(of: "often").metadata.name
      try await world.rcloneRunning(first)
      try await until("a second run waits") { try await world.runs(of: "often").count == 2 }
      // Some more ticks.
      try await Task.sleep(for: .seconds(7))
      #expect(try await world.runs(of: "often").count == 2)
      try await world.suspend("often")
      sync.release()
      try await until("all runs have ended") { try await world.runs(of: "often").allSatisfy(\.isFinished) }
    }
  }
}

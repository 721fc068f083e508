import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("Runs and plugins")
struct PluginTests {
  @Test("a run that is told to wait takes no locks, lets others pass, and goes on in time")
  func wait() async throws {
    let isOpen = Switch(false)
    let world = try World(plugins: [
      Gatekeeper { run in
        run.run.metadata.name == "early" && !isOpen.value ? .wait(reason: "closed", after: .seconds(60)) : .proceed
      }
    ])
    try world.createRun("early")
    try await world.run(for: .seconds(1))
    #expect(world.condition("early", "LocksAcquired")?.message == "closed")
    #expect(world.condition("early", "LocksAcquired")?.reason == "HeldBack")
    try world.createRun("late")
    try await world.run(for: .seconds(30))
    #expect(world.run("late")?.status?.result == .succeeded)
    isOpen.value = true
    try await world.run(for: .seconds(61))
    #expect(world.run("early")?.status?.result == .succeeded)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a run can be rejected, with the plugin's reason")
  func reject() async throws {
    let world = try World(plugins: [Gatekeeper { _ in .reject(reason: "not on my watch") }])
    try world.createRun("run")
    try await world.run()
    #expect(world.run("run")?.status?.result == .failed)
    #expect(world.run("run")?.status?.error == "not on my watch")
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a skipped run is no error")
  func skip() async throws {
    let world = try World(plugins: [Gatekeeper { _ in .skip(reason: "nothing new") }])
    try world.createRun("run")
    try await world.run()
    #expect(world.run("run")?.status?.result == .skipped)
    #expect(world.run("run")?.status?.error == nil)
    #expect(world.condition("run", "Complete")?.message == "nothing new")
    #expect(try await world.brokenPromises() == [])
  }

  @Test(
    "a plugin that fails blocks its run without locks, lets others pass, and heals",
    arguments: ["preLock", "buildJob", "jobName"])
  func blocked(point: String) async throws {
    let isBroken = Switch(true)
    let trouble: @Sendable (String) throws -> Void = { name in
      if isBroken.value, name.hasPrefix("bad") { throw Trouble("out of order") }
    }
    let plugin: any Plugin =
      switch point {
      case "preLock":
        Gatekeeper { run in
          try trouble(run.run.metadata.name)
          return .proceed
        }
      case "buildJob": Transformer("Gatekeeper") { try trouble($0.json["metadata"]["name"].string ?? "") }
      default:
        Namer("Gatekeeper") {
          try trouble($0)
          return $0
        }
      }
    let world = try World(plugins: [plugin])
    try world.createRun("bad")
    try await world.run(for: .seconds(1))
    #expect(world.run("bad")?.status?.error == "plugin Gatekeeper failed at \(point): out of order")
    #expect(world.condition("bad", "LocksAcquired")?.reason == "Blocked")
    #expect(world.locks.isEmpty)
    try world.createRun("good")
    try await world.run(for: .seconds(30))
    #expect(world.run("good")?.status?.result == .succeeded)
    isBroken.value = false
    try await world.run()
    #expect(world.run("bad")?.status?.result == .succeeded)
    #expect(world.run("bad")?.status?.error == nil)
    #expect(try await world.brokenPromises() == [])
  }

  @Test("runs that rules held back, or that a failing rule blocked, go on at once when the rules have changed")
  func rulesChange() async throws {
    for rule: @Sendable () throws -> PreLockResult in [
      { .wait(reason: "maintenance", after: .seconds(604_800)) }, { throw Trouble("misspelled") },
    ] {
      let rules = Rules(rule)
      let world = try World(plugins: [rules])
      try world.createRun("run")
      // Long enough for a back-off of minutes.
      try await world.run(for: .seconds(3600))
      #expect(world.condition("run", "LocksAcquired")?.status == .no)
      let before = world.time.uptime
      rules.change { .proceed }
      try await world.run(for: .zero)
      #expect(world.run("run")?.status?.result == .succeeded)
      #expect(world.time.uptime == before)
      #expect(try await world.brokenPromises() == [])
    }
  }

  @Test("post-sync plugins all run, a failure is noted, the locks are free before, and the outcome stays")
  func postSync() async throws {
    let locksAtPostSync = Switch(-1)
    let told = Switch<[RunOutcome]>([])
    let world = try World(plugins: [
      Messenger("Broken") { _, _ in throw Trouble("no line") },
      Messenger("Fine") { _, outcome in
        told.value.append(outcome)
        return PostSyncReport(notes: ["fine": "yes"], policyAnnotations: ["example.com/last": "ok"])
      },
    ])
    world.server.observe { change, objects in
      guard change.path.plural == "bucketsyncs", change.object["status"]["phase"] == "Finished" else { return }
      locksAtPostSync.value = objects.keys.count { $0.plural == "configmaps" }
    }
    try world.createPolicy("nightly")
    try await world.run()
    let run = try #require(world.runs.first)
    #expect(run.status?.result == .succeeded)
    #expect(run.status?.notes == ["fine": "yes", "Broken.error": "no line"])
    #expect(told.value == [.succeeded])
    #expect(locksAtPostSync.value == 0)
    #expect(world.policy("nightly")?.metadata.annotations?["example.com/last"] == "ok")
    #expect(try await world.brokenPromises() == [])
  }

  @Test("a plugin cannot set annotations of the operator")
  func reservedAnnotations() async throws {
    let annotation = BucketSyncNames.Annotation.syncNow
    let world = try World(plugins: [
      Messenger("Loop") { _, _ in PostSyncReport(policyAnnotations: [annotation: "again"]) }
    ])
    try world.createPolicy("nightly")
    try await world.run()
    #expect(world.runs.count == 1)
    #expect(world.policy("nightly")?.metadata.annotations?[annotation] == nil)
  }

  /// The answer to storing phase Sync is lost; by the time the run is looked at again, the plugin wants it to wait.
  @Test("a run that has its locks stored keeps them, whatever a plugin says to a cache that lags behind")
  func lostAnswer() async throws {
    let isClosed = Switch(false)
    let world = try World(
      pace: .slowWatch,
      plugins: [
        Gatekeeper { run in
          run.run.metadata.name == "run" && isClosed.value ? .wait(reason: "closed", after: .seconds(60)) : .proceed
        }
      ]
    ) { _, request in
      guard request.method == .patch, request.path.hasSuffix("/run/status"), !isClosed.value else { return nil }
      isClosed.value = true
      return .lostAnswer
    }
    world.cluster.jobs(named: "run", .runsForEver)
    try world.createRun("run")
    try await world.run(for: .seconds(10))
    try world.createRun("other")
    try await world.run(for: .seconds(60))
    #expect(world.isLive("run"))
    #expect(!world.isLive("other"))
    #expect(world.cluster.violations == [])
  }

  @Test("a run whose locks somebody deleted before its Job was created does not run without them")
  func lostLocks() async throws {
    let world = try World { _, request in
      request.method == .post && request.path.hasSuffix("/jobs") ? .deathBefore : nil
    }
    try world.createRun("run")
    try await world.incarnation.settle()
    #expect(world.incarnation.isDead)
    for lock in world.locks { world.server.delete(ConfigMap.self, lock.key) }
    try await world.run()
    #expect(world.run("run")?.status?.result == .succeeded)
    #expect(try await world.brokenPromises() == [])
  }

  @Test(
    "trouble with the API server while locking costs a run neither its place nor a word",
    arguments: [Fault.serverError, .lostAnswer, .gatewayTimeout])
  func passingTrouble(fault: Fault) async throws {
    let hasFailed = Switch(false)
    let world = try World { _, request in
      guard request.method == .post, request.path.hasSuffix("/configmaps"), !hasFailed.value else { return nil }
      hasFailed.value = true
      return fault
    }
    try world.createRun("a-old")
    try world.createRun("b-young")
    let isBlocked = Switch(false)
    world.server.observe { change, _ in
      if change.object["status"]["error"].string != nil { isBlocked.value = true }
    }
    try await world.run()
    #expect(hasFailed.value)
    #expect(!isBlocked.value)
    let starts = world.runs.compactMap { $0.status?.conditions?["LocksAcquired"] }
    #expect(starts.count == 2)
    #expect(try await world.brokenPromises() == [])
  }
}

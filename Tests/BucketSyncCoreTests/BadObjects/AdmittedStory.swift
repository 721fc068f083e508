// What becomes of a few drawn objects, from the moment they are stored until nothing moves any more.

import BucketLock
import BucketSyncAPI
import CronSchedule
import FoundationEssentials
import KubernetesModel
import TestSupport

@testable import BucketSyncCore
@testable import OperatorRuntime

/// A world that objects of one seed are put into.
final class AdmittedStory {
  /// Requests per object that are plenty for whatever has to be done, retries of hours included.
  private static let requestLimit = 150
  /// Retries of one key in an hour, at their slowest pace.
  private static let retryLimit = 14

  private let world: World
  private let refused = Switch<[String]>([])
  private let policies: Definition
  private let runs: Definition
  private var generator: ObjectGenerator
  private var created: [String: JSONValue] = [:]
  private var told: [Occurrence] = []
  private(set) var problems: [String] = []

  /// How many objects were put in.
  var count: Int { created.count }

  /// What became of them, to be seen that all of it is tried.
  var outcomes: [String] {
    world.runs.map { "runs \($0.status?.result?.rawValue.debugDescription ?? "without result")" }
      + world.server.all(BucketSyncPolicy.self).map {
        $0.status?.conditions?["Ready"]?.status == .yes ? "policies ready" : "policies not ready"
      }
  }

  init(seed: UInt64, policies: Definition, runs: Definition) throws {
    world = try World()
    self.policies = policies
    self.runs = runs
    generator = ObjectGenerator(seed: seed, policies: policies, runs: runs)
  }

  /// Puts the objects in, lets hours pass, and looks at what is left.
  func tell() async throws {
    let (policies, runs, refused) = (policies, runs, refused)
    world.server.validate { path, new, old in
      let definition: Definition
      switch path.plural {
      case BucketSyncPolicy.resource.plural: definition = policies
      case BucketSync.resource.plural: definition = runs
      default: return nil
      }
      guard let refusal = definition.refusal(of: new, after: old) else { return nil }
      // A run's name can come from an annotation that anybody wrote: the server's answer is the check.
      if old != nil, path.subresource == "status" { refused.value.append("status: \(refusal)") }
      return refusal
    }
    do {
      try create()
      try await world.run(for: .seconds(30))
      takeEvents()
      suspendFastPolicies()
      try await world.run(for: .seconds(7200))
      takeEvents()
      try await rest()
    } catch let livelock as Livelock {
      problems.append("\(livelock)")
    }
    takeEvents()
    problems += refused.value + world.cluster.violations
    problems += world.locks.map { "lock \($0.metadata.name) is left" }
    for run in world.runs { problems += check(run) }
    for policy in world.server.all(BucketSyncPolicy.self) { problems += check(policy) }
  }

  private func create() throws {
    if generator.happens(30) { world.cluster.jobs(named: "run-1", .fails(exitCode: 3, log: "ERROR : \u{0}\u{1b}[31m")) }
    if generator.happens(20) {
      world.cluster.jobs(named: "policy-0", .neverStarts(reason: "CreateContainerConfigError"))
    }
    for number in 0...generator.below(3) {
      let policy = try generator.policy(number)
      let stored = try world.server.create(BucketSyncPolicy.self, policy, namespace: "default")
      created["policy \(stored.metadata.name)"] = policy
    }
    for number in 0...generator.below(3) {
      let json = try generator.run(number)
      let run = try world.server.create(BucketSync.self, json, namespace: "default")
      created["run \(run.metadata.name)"] = json
      if let job = run.status?.job, Naming.isSubdomain(job), generator.happens(20) {
        try? world.createForeign(Job(metadata: ObjectMeta(name: job, namespace: "default")))
      }
      if generator.happens(15) { world.server.delete(BucketSync.self, run.key) }
    }
  }

  /// A policy with a run every second would go on for ever.
  private func suspendFastPolicies() {
    for policy in world.server.all(BucketSyncPolicy.self) where policy.spec.schedule != "0 2 * * *" {
      world.server.change(BucketSyncPolicy.self, policy.key) { $0["spec"]["suspend"] = true }
    }
  }

  /// Nothing changes any more, and what is tried again is tried seldom.
  private func rest() async throws {
    let objects = created.count + world.runs.count
    let sent = world.incarnation.connection.sent.count
    if sent > objects * Self.requestLimit { problems.append("\(sent) requests for \(objects) objects") }
    let revision = world.server.revision
    try await world.run(for: .seconds(3600))
    if world.server.revision != revision {
      problems.append("it does not come to rest: \(world.incarnation.connection.sent.suffix(3))")
    }
    let retries = world.incarnation.connection.sent.count - sent
    if retries > objects * Self.retryLimit * 3 { problems.append("\(retries) requests in an hour of rest") }
  }

  private func takeEvents() {
    while let occurrence = world.incarnation.events.popFirst() {
      told.append(occurrence)
      world.incarnation.events.settle(delivered: true)
    }
  }

  private func isTold(_ name: String, _ kind: String) -> Bool {
    told.contains { $0.regarding.name == name && $0.regarding.kind == kind && $0.type == .warning }
  }

  // MARK: What must be true of each object in the end

  private func check(_ policy: BucketSyncPolicy) -> [String] {
    guard !policy.metadata.isBeingDeleted else { return [] }
    let name = policy.metadata.name
    let status = policy.status
    var problems: [String] = []
    if status?.observedGeneration != policy.metadata.generation { problems.append("its status is not of its spec") }
    guard let ready = status?.conditions?[BucketSyncPolicy.ConditionType.ready] else {
      return ["policy \(name.prefix(20)): has no condition Ready"]
    }
    let error = status?.error ?? ""
    for field in badFields(policy.spec) where !error.contains(field) {
      problems.append("\(field) is wrong, but status.error says \"\(error.prefix(200))\"")
    }
    if ready.status != .yes {
      if error.isEmpty { problems.append("is not ready, and no error says why") }
      let old = BucketSyncPolicy.Status(created["policy \(name)"]?["status"])
      if old?.error != status?.error, !isTold(name, "BucketSyncPolicy") {
        problems.append("is not ready, and no Event tells")
      }
    }
    return problems.map { "policy \(name.prefix(20)): \($0)" }
  }

  private func badFields(_ spec: BucketSyncPolicy.Spec) -> [String] {
    badFields(BucketSync.Spec(spec)) + ((try? CronSchedule(spec.schedule)) == nil ? ["spec.schedule"] : [])
  }

  private func badFields(_ spec: BucketSync.Spec) -> [String] {
    var fields: [String] = []
    if (try? BucketPath(spec.source, field: .source)) == nil { fields.append("spec.source") }
    if (try? BucketPath(spec.destination, field: .destination)) == nil { fields.append("spec.destination") }
    if let timeout = spec.timeout, (try? DurationText.wholeSeconds(timeout)) == nil { fields.append("spec.timeout") }
    for (field, list) in [("sourceEnv", spec.sourceEnv), ("destinationEnv", spec.destinationEnv)] {
      let names = (list ?? []).map(\.name)
      if Set(names).count < names.count { fields.append("spec.\(field)") }
    }
    return fields
  }

  private func check(_ run: BucketSync) -> [String] {
    let name = run.metadata.name
    // Held by finalizers of others, it is theirs.
    if run.metadata.isBeingDeleted { return [] }
    guard run.isFinished else {
      return [
        "run \(name.prefix(20)) never ends: \(run.status?.phase?.rawValue ?? "untouched"), \(run.status?.error ?? "")"
      ]
    }
    let before = created["run \(name)"]?["status"]["phase"].string
    guard before != "Finished" else { return [] }
    var problems: [String] = []
    let error = run.status?.error ?? ""
    if before == nil || before == "Initialize" {
      let bad = badFields(run.spec)
      for field in bad where !error.contains(field) {
        problems.append("\(field) is wrong, but status.error says \"\(error.prefix(200))\"")
      }
      if !bad.isEmpty, run.status?.result != .failed { problems.append("\(bad) is wrong, but it did not fail") }
    }
    if run.status?.result == .failed {
      if error.isEmpty { problems.append("failed, and no error says why") }
      if !isTold(name, "BucketSync") { problems.append("failed, and no Event tells") }
    }
    if run.metadata.finalizers?.contains(BucketSyncNames.finalizer) == true { problems.append("keeps its finalizer") }
    if run.status?.conditions?["LocksAcquired"]?.status == .yes { problems.append("still has its locks, it says") }
    return problems.map { "run \(name.prefix(20)): \($0)" }
  }
}

extension BucketSyncPolicy.Status {
  fileprivate init?(_ json: JSONValue?) {
    guard let json, let status = try? json.decoded(as: BucketSyncPolicy.Status.self) else { return nil }
    self = status
  }
}

// A whole world in memory: API server, cluster, operator and clock, driven step by step until nothing moves any more.

import BucketSyncAPI
import BucketSyncCore
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport

/// Everything that a test needs, and the order in which it moves.
final class World {
  /// How the operator and the cluster keep up with each other.
  enum Pace: String, Sendable, CaseIterable {
    /// Whoever has something to do does it before anybody else moves.
    case orderly
    /// The cluster moves on with each request that the operator sends.
    case busyCluster
    /// The operator's caches hear of changes only when it has nothing else left to do.
    case slowWatch
  }

  /// Something that a person does once the world has come to a certain point.
  struct Step {
    var when: (World) -> Bool
    var act: (World) -> Void
  }

  let time: ManualTime
  let server: InMemoryAPIServer
  let cluster: ScriptedCluster
  private(set) var incarnation: Incarnation
  var steps: [Step] = []
  private let makeIncarnation: (FaultyConnection) throws -> Incarnation
  private let pace: Pace
  private let runsMade = RunsMade()
  private var foreign: [ResourcePath: JSONValue] = [:]

  /// A world at 2024-01-15T01:59:50Z.
  /// - Parameter fault: What happens to the requests of the first incarnation.
  init(
    pace: Pace = .orderly, plugins: [any Plugin] = [], settings: CoreSettings = CoreSettings(),
    fault: @escaping @Sendable (_ number: Int, APIRequest) -> Fault? = { _, _ in nil }
  ) throws {
    let time = ManualTime(now: Date(timeIntervalSince1970: 1_705_283_990))
    let server = InMemoryAPIServer(time: time)
    let cluster = ScriptedCluster(server, time: time)
    self.time = time
    self.server = server
    self.cluster = cluster
    self.pace = pace
    makeIncarnation = { connection in
      try Incarnation(on: server, time: time, plugins: plugins, settings: settings, connection: connection)
    }
    server.holdWatch(pace == .slowWatch)
    let first = Self.connection(to: server, cluster, pace, fault)
    incarnation = try makeIncarnation(first)
    server.observe { [runsMade] change, _ in runsMade.note(change) }
  }

  private static func connection(
    to server: InMemoryAPIServer, _ cluster: ScriptedCluster, _ pace: Pace,
    _ fault: @escaping @Sendable (_ number: Int, APIRequest) -> Fault?
  ) -> FaultyConnection {
    FaultyConnection(
      to: server,
      afterRequest: { if pace == .busyCluster { cluster.step() } },
      fault: fault)
  }

  /// Starts the operator anew.
  func restart() throws {
    incarnation = try makeIncarnation(Self.connection(to: server, cluster, pace) { _, _ in nil })
  }

  /// Lets everything move for at most `limit`, until nothing does any more. A dead operator is started again.
  func run(for limit: Duration = .seconds(1800)) async throws {
    let end = time.uptime + limit
    for _ in 0..<5000 {
      try await incarnation.settle()
      if incarnation.isDead {
        try restart()
      } else if let step = steps.first, step.when(self) {
        steps.removeFirst()
        step.act(self)
      } else if cluster.step() {
        continue
      } else if let next = nextEvent, next <= end {
        time.advance(by: max(.zero, next - time.uptime))
        incarnation.fireTimers()
      } else {
        return
      }
    }
    throw Livelock(errors: incarnation.errors.suffix(3))
  }

  /// Lets everything move until `condition` holds.
  func run(until condition: @escaping (World) -> Bool, within limit: Duration = .seconds(1800)) async throws -> Bool {
    var isReached = false
    let others = steps
    steps = [Step(when: condition) { _ in isReached = true }]
    let end = time.uptime + limit
    for _ in 0..<5000 where !isReached {
      try await incarnation.settle()
      if let step = steps.first, step.when(self) {
        isReached = true
      } else if cluster.step() {
        continue
      } else if let next = nextEvent, next <= end {
        time.advance(by: max(.zero, next - time.uptime))
        incarnation.fireTimers()
      } else {
        break
      }
    }
    steps = others
    return isReached
  }

  /// Lets time pass with everything that comes due in it.
  func pass(_ duration: Duration) async throws {
    let end = time.uptime + duration
    try await run(for: duration)
    if time.uptime < end { time.advance(by: end - time.uptime) }
    incarnation.fireTimers()
    try await run(for: .zero)
  }

  private var nextEvent: Duration? {
    [incarnation.nextTimer, cluster.nextDeadline.map { time.uptime + $0 }].compactMap(\.self).min()
  }

  /// Creates something that is none of the operator's business.
  func createForeign<O: KubernetesObject>(_ object: O) throws {
    let created = try server.create(object)
    foreign[ResourcePath(O.resource, created.key)] = server.json(O.self, created.key)
  }

  // MARK: What is there

  var runs: [BucketSync] { server.all(BucketSync.self) }
  var locks: [ConfigMap] {
    server.all(ConfigMap.self).filter { $0.metadata.labels?[BucketSyncNames.group + "/lock"] != nil }
  }

  func run(_ name: String) -> BucketSync? { server.find(BucketSync.self, .named(name)) }
  func policy(_ name: String) -> BucketSyncPolicy? { server.find(BucketSyncPolicy.self, .named(name)) }
  func condition(_ run: String, _ type: String) -> Condition? { self.run(run)?.status?.conditions?[type] }

  /// Whether a container of a run whose name starts so runs.
  func isLive(_ prefix: String) -> Bool { cluster.live.keys.contains { $0.name.hasPrefix(prefix) } }

  // MARK: Invariants (design.md section 7)

  /// Promises that are broken once nothing moves any more.
  func brokenPromises() async throws -> [String] {
    var broken = cluster.violations + runsMade.doubles
    broken += runs.filter { !$0.isFinished }.map {
      "run \($0.metadata.name) never ends: \($0.status?.phase?.rawValue ?? "untouched"), \($0.status?.error ?? "")"
    }
    broken += runs.filter(\.isFinished).flatMap(Self.contradictions)
    broken += locks.map { "lock \($0.metadata.name) of \($0.data?["holderName"] ?? "") is left" }
    broken += foreign.filter { server.objects[$0.key] != $0.value }.map {
      "\($0.key.plural) \($0.key.name ?? "") is not ours"
    }
    broken += server.all(Job.self).filter { job in
      runs.contains { $0.metadata.uid == job.metadata.controllerOwner?.uid }
    }
    .map { "job \($0.metadata.name) is left" }
    broken += server.objects.filter { !$0.value["metadata"]["deletionTimestamp"].isNull }
      .map { "\($0.key.plural) \($0.key.name ?? "") waits for ever to be deleted" }
    for policy in server.all(BucketSyncPolicy.self) {
      let left = policy.metadata.annotations?.keys.filter { $0.contains("sync-now") } ?? []
      broken += left.map { "policy \(policy.metadata.name) still has \($0)" }
      if policy.status?.active ?? 0 != 0 { broken.append("policy \(policy.metadata.name) says that a run is active") }
    }
    return broken + (try await restlessness())
  }

  /// Whether a fresh operator, or time that passes, finds something to write where nothing is to be done.
  private func restlessness() async throws -> [String] {
    var written = incarnation.connection.sent.count
    try await run(for: .seconds(600))
    var requests = incarnation.connection.sent.dropFirst(written).filter(\.isWrite)
    try restart()
    written = 0
    try await run(for: .seconds(600))
    requests += incarnation.connection.sent.filter(\.isWrite)
    return requests.isEmpty ? [] : ["it does not come to rest: \(requests)"]
  }

  private static func contradictions(in run: BucketSync) -> [String] {
    let isComplete = run.status?.conditions?["Complete"]?.status == .yes
    let isFailed = run.status?.conditions?["Failed"]?.status == .yes
    var broken: [String] = []
    if isComplete == isFailed { broken.append("complete: \(isComplete), failed: \(isFailed)") }
    if isComplete != [.succeeded, .skipped].contains(run.status?.result) {
      broken.append("complete: \(isComplete), but its result differs")
    }
    if run.status?.finishTime == nil || run.status?.startTime == nil { broken.append("lacks its times") }
    if run.status?.conditions?["LocksAcquired"]?.status == .yes { broken.append("still has its locks, it says") }
    if run.metadata.finalizers?.isEmpty == false { broken.append("keeps its finalizer") }
    return broken.map { "finished run \(run.metadata.name): \($0)" }
  }
}

/// Which runs were ever made, and for what.
private final class RunsMade: Sendable {
  private let made = Mutex<[String: Set<String>]>([:])

  func note(_ change: ServerChange) {
    guard change.kind == .added, change.path.plural == BucketSync.resource.plural else { return }
    let metadata = change.object["metadata"]
    guard let tick = metadata["annotations"][BucketSyncNames.Annotation.scheduledAt].string,
      let owner = metadata["ownerReferences"][0]["uid"].string, let uid = metadata["uid"].string
    else { return }
    _ = made.withLock { $0["\(owner) at \(tick)", default: []].insert(uid) }
  }

  var doubles: [String] {
    made.withLock { $0.filter { $0.value.count > 1 }.map { "\($0.value.count) runs were made for \($0.key)" } }
  }
}

extension ObjectKey {
  /// In the namespace where tests have their policies and runs.
  static func named(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }
}

// What must hold at every moment (design.md section 7), checked at each change, by what the model knows to be true.
//
//     S1  never two containers on one bucket, and none without its run's locks        starts, checkLocks
//     S2  one run per tick and per trigger                                            RunsMade
//     S3  operators write only what is theirs                                         checkOwnership
//     S4  a Job's success is its run's, and nothing else is; locks go before Finished checkResult
//     L3  operators do not run hot                                                    requests

import BucketSyncAPI
import KubernetesModel
import TestSupport

/// Watches over a world.
final class Monitor {
  private(set) var violations: [String] = []
  /// When an operator last wrote anything but Events and the lease.
  private(set) var lastWrite: Duration = .zero
  private(set) var writes = 0
  private(set) var latestWrites: [String] = []
  /// Whether ticks can still be told apart by their time.
  private(set) var isClockTrue = true
  /// Whether locks say who works on a bucket.
  private(set) var areLocksTrue = true
  let made = RunsMade()

  private let agenda: Agenda
  private let server: ModelServer
  private let containers: Containers
  private let time: VirtualTime
  /// UIDs of what operators have made.
  private var own: Set<String> = []
  /// UIDs of runs that have had a Job, and of those whose container has started.
  private var employed: Set<String> = []
  private var started: Set<String> = []
  /// Names of policies whose status has told of an error.
  private(set) var complaining: Set<String> = []
  /// Whether nothing was done to the operator that could let it know less than it should.
  var isUndisturbed = true
  /// UIDs of runs whose Job has been complete.
  private(set) var completed: Set<String> = []
  private var busyMinute: [String: (minute: Int64, requests: Int)] = [:]

  /// So many requests of one process in a minute are a retry that runs hot.
  private static let hot = 1500

  init(agenda: Agenda, server: ModelServer, containers: Containers, time: VirtualTime) {
    self.agenda = agenda
    self.server = server
    self.containers = containers
    self.time = time
    server.observe { [unowned self] change, actor in see(change, by: actor) }
  }

  func violate(_ invariant: String, _ text: String) {
    violations.append("\(invariant) at \(Timeline.format(agenda.now)): \(text)")
  }

  func clockWasSet() { isClockTrue = false }
  func locksAreTamperedWith() { areLocksTrue = false }
  func triggers(_ policy: String, _ value: String) { made.asked(policy, value) }

  /// A container starts.
  func starts(_ container: Container, besides others: [Container]) {
    for other in others where !other.buckets.isDisjoint(with: container.buckets) && leavesTraces(other) {
      violate(
        "S1", "the container of \(container.pod) starts while that of \(other.pod) works on \(other.buckets.sorted())")
    }
    checkLocks(of: container, "starts")
    started.insert(container.runUID)
  }

  /// A process has sent a request.
  func requests(_ process: String) {
    let minute = agenda.now.components.seconds / 60
    var busy = busyMinute[process] ?? (minute, 0)
    if busy.minute != minute { busy = (minute, 0) }
    busy.requests += 1
    busyMinute[process] = busy
    if busy.requests == Self.hot { violate("L3", "\(process) sends \(Self.hot) requests within a minute") }
  }

  // MARK: Changes

  private func see(_ change: ServerChange, by actor: Actor) {
    if case .process = actor {
      if change.kind == .added { own.insert(change.object.uid) }
      if change.path.plural != "events", change.path.plural != "leases" {
        writes += 1
        lastWrite = agenda.now
        latestWrites = latestWrites.suffix(9) + [change.summary]
      }
      checkOwnership(change, actor)
    }
    switch change.path.plural {
    case BucketSync.resource.plural:
      made.see(change, at: agenda.now, violate: violate)
      checkResult(change)
      if isUndisturbed { checkTurn(change) }
    case "jobs":
      // One whose creation nobody answered, and that somebody deletes meanwhile, has never been seen.
      if change.kind == .added, let run = change.object.controllerUID, !employed.insert(run).inserted,
        started.contains(run), isUndisturbed
      {
        violate("S2", "run \(change.object.name) gets a second Job, though the first one has worked")
      }
      if change.object.has(condition: "Complete"), let run = change.object.controllerUID { completed.insert(run) }
    case "configmaps":
      if change.kind == .deleted {
        for container in containers.running.values { checkLocks(of: container, "runs") }
      }
    case BucketSyncPolicy.resource.plural:
      made.see(policy: change.object)
      if !change.object["status"]["error"].isNull { complaining.insert(change.object.name) }
    default: break
    }
  }

  private func checkLocks(of container: Container, _ verb: String) {
    guard areLocksTrue else { return }
    for bucket in container.buckets.sorted() {
      let lock = server.all(ConfigMap.resource).first { $0.object["data"]["bucket"].string == bucket }?.object
      let holder = lock?["data"]["holderUID"].string
      if holder != container.runUID {
        violate(
          "S1",
          "the container of \(container.pod) \(verb), but the lock of \"\(bucket)\" is \(lock?["data"]["holderName"].string ?? "nobody")'s"
        )
      }
    }
  }

  /// Whether there is anything by which an operator could know of the container: who removes a run by force, and deletes
  /// the locks too, leaves no sign of it.
  private func leavesTraces(_ container: Container) -> Bool {
    areLocksTrue || server.all(BucketSync.resource).contains { $0.object.uid == container.runUID }
  }

  private func checkOwnership(_ change: ServerChange, _ actor: Actor) {
    let (path, object) = (change.path, change.object)
    guard change.kind != .added else { return }
    switch path.plural {
    case BucketSyncPolicy.resource.plural, BucketSync.resource.plural:
      if let old = change.old, old["spec"] != object["spec"] {
        violate("S3", "\(actor) changes the spec of \(path.name ?? "")")
      }
      let isDeletion = (object.isBeingDeleted || change.kind == .deleted) && change.old?.isBeingDeleted != true
      if isDeletion, path.plural == BucketSyncPolicy.resource.plural || object.controllerUID == nil {
        violate("S3", "\(actor) deletes \(path.plural) \(path.name ?? "")")
      }
      if isDeletion { checkTrimming(object, actor) }
      let strangers = foreignFinalizers(change.old ?? object)
      // What is gone is told of as it was before the last finalizer went.
      if strangers != (change.kind == .deleted ? [] : foreignFinalizers(object)) {
        violate("S3", "\(actor) takes the finalizers \(strangers)")
      }
    case "jobs", "pods":
      if !own.contains(object.uid), !isOfOurJob(object) {
        violate("S3", "\(actor) touches \(path.plural) \(path.name ?? "")")
      }
    case "configmaps":
      let isLock = object.label("\(BucketSyncNames.group)/lock") == "true"
      if !own.contains(object.uid), !isLock { violate("S3", "\(actor) touches ConfigMap \(path.name ?? "")") }
    default: break
    }
  }

  private func foreignFinalizers(_ object: JSONValue) -> [String] {
    (object["metadata"]["finalizers"].array ?? []).compactMap(\.string).filter {
      $0 != BucketSyncNames.finalizer && $0 != "foregroundDeletion"
    }
  }

  /// Only the oldest finished runs go, and only those of a policy that has too many.
  private func checkTrimming(_ run: JSONValue, _ actor: Actor) {
    if run["status"]["phase"] != "Finished" {
      violate("S3", "\(actor) deletes run \(run.name) before it has finished")
    }
    let kept = server.all(BucketSync.resource).map(\.object).filter {
      $0.controllerUID == run.controllerUID && $0["status"]["phase"] == "Finished" && !$0.isBeingDeleted
        && $0.uid != run.uid
    }
    if let older = kept.first(where: { age($0) < age(run) }) {
      violate("S4", "\(actor) deletes run \(run.name), and keeps \(older.name), which is older")
    }
    let policy = server.all(BucketSyncPolicy.resource).first { $0.object.uid == run.controllerUID }?.object
    if let policy, (policy["spec"]["syncHistoryLimit"].integer ?? .max) > kept.count {
      violate("S4", "\(actor) deletes run \(run.name), though \(policy.name) has no more than it may keep")
    }
  }

  private func age(_ run: JSONValue) -> String { run["metadata"]["creationTimestamp"].string ?? "" }

  /// No run gets its locks before one that is older by seconds and wants one of its buckets.
  private func checkTurn(_ change: ServerChange) {
    let run = change.object
    guard run["status"]["phase"] == "Sync", change.old?["status"]["phase"] != "Sync" else { return }
    let overtaken = server.all(BucketSync.resource).map(\.object).filter { other in
      let waits = ["", "Initialize"].contains(other["status"]["phase"].string ?? "") && !other.isBeingDeleted
      let reason = (other["status"]["conditions"].array ?? []).first { $0["type"] == "LocksAcquired" }?["reason"].string
      return waits && !["HeldBack", "Blocked"].contains(reason) && age(other) < age(run)
        && !buckets(of: other).isDisjoint(with: buckets(of: run))
    }
    if let older = overtaken.first { violate("L1", "run \(run.name) overtakes \(older.name), which is older") }
  }

  private func buckets(of run: JSONValue) -> Set<String> {
    Set(["source", "destination"].compactMap { run["spec"][$0].string?.split(separator: "/").first.map(String.init) })
  }

  private func isOfOurJob(_ object: JSONValue) -> Bool { object.controllerUID.map(own.contains) ?? false }

  private func checkResult(_ change: ServerChange) {
    let run = change.object
    let before = change.old?["status"]["result"] ?? .null
    if !before.isNull, run["status"]["result"] != before {
      violate(
        "S4",
        "the result of run \(run.name), \(before.string ?? ""), becomes \(run["status"]["result"].string ?? "none")")
    }
    guard change.kind != .deleted, run["status"]["phase"] == "Finished", change.old?["status"]["phase"] != "Finished"
    else { return }
    let result = run["status"]["result"].string ?? "none"
    if result == "Succeeded", !completed.contains(run.uid) {
      violate("S4", "run \(run.name) has succeeded, it says, but its Job was never complete")
    }
    let held = server.all(ConfigMap.resource).filter { $0.object["data"]["holderUID"].string == run.uid }
    if !held.isEmpty {
      violate("L2", "run \(run.name) finishes with the locks \(held.map { $0.path.name ?? "" })")
    }
  }
}

// The rest of the cluster: Job controller, garbage collector and kubelet, one small step at a time.
//
// Which containers really run is known here alone, apart from what the API says of them; that is what the promise
// "never two rclones on one bucket" is checked against.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import Synchronization
import TestSupport

/// Runs the Jobs of a server.
final class ScriptedCluster: Sendable {
  /// What becomes of the containers of a Job.
  enum Behaviour: Sendable, Hashable {
    case succeeds
    case fails(exitCode: Int, log: String)
    case runsForEver
    /// Runs for ever, and does not end when told to.
    case ignoresStop
    case neverStarts(reason: String)
  }

  /// What the Job controller may lose.
  enum Loss: Sendable, Hashable {
    /// The timer of each deadline, as Kubernetes 1.20 does when it is restarted.
    case deadlines
    /// The requests to delete the pods of a Job that fails.
    case podDeletions
  }

  /// A container that runs.
  struct Live: Sendable {
    var run: String
    var buckets: Set<String>
  }

  private struct State {
    var behaviours: [String: Behaviour] = [:]
    var live: [ObjectKey: Live] = [:]
    var violations: [String] = []
    var losses: Set<Loss> = []
  }

  private let server: InMemoryAPIServer
  private let time: any TimeSource
  private let state = Mutex(State())

  init(_ server: InMemoryAPIServer, time: any TimeSource) {
    self.server = server
    self.time = time
    server.observe { [unowned self] change, objects in checkLocks(after: change, objects) }
  }

  /// From now on, Jobs whose name starts with `prefix` do this; all others succeed.
  func jobs(named prefix: String, _ behaviour: Behaviour) { state.withLock { $0.behaviours[prefix] = behaviour } }

  /// From now on, the Job controller loses this.
  func lose(_ loss: Loss) { state.withLock { _ = $0.losses.insert(loss) } }

  private func loses(_ loss: Loss) -> Bool { state.withLock { $0.losses.contains(loss) } }

  /// The containers that run now.
  var live: [ObjectKey: Live] { state.withLock { $0.live } }

  /// Promises that were broken so far.
  var violations: [String] { state.withLock { $0.violations } }

  /// Does the next thing; whether there was any.
  @discardableResult
  func step() -> Bool {
    if server.collectGarbage() { return true }
    let objects = server.objects
    let pods = objects.filter { $0.key.plural == "pods" }.sorted { $0.key < $1.key }.map(\.value)
    for pod in pods where kubelet(pod) { return true }
    let jobs = objects.filter { $0.key.plural == "jobs" }.sorted { $0.key < $1.key }.map(\.value)
    for job in jobs where controlJob(job, pods) { return true }
    return false
  }

  /// How long until something happens by itself.
  var nextDeadline: Duration? {
    if loses(.deadlines) { return nil }
    return server.objects.filter { $0.key.plural == "jobs" && !$0.value.isOver }
      .compactMap { $0.value.deadline }.min()
      .map { .seconds(max(0, $0 - Timestamp(time.now).unixSeconds)) }
  }

  // MARK: Job controller

  private func controlJob(_ job: JSONValue, _ pods: [JSONValue]) -> Bool {
    // Jobs of nobody are scenery.
    guard !job["metadata"]["ownerReferences"].isNull, !job.isOver, !job.isBeingDeleted else { return false }
    let own = pods.filter { $0["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"] }
    if let deadline = job.deadline, deadline <= Timestamp(time.now).unixSeconds, !loses(.deadlines) {
      end(job, "Failed", reason: "DeadlineExceeded", "Job was active longer than specified deadline")
      if !loses(.podDeletions) { for pod in own { server.delete(Pod.self, pod.key) } }
      return true
    }
    guard let pod = own.first else {
      if !job["status"]["startTime"].isNull {
        end(job, "Failed", reason: "BackoffLimitExceeded", "Job has reached the specified backoff limit")
      } else {
        makePod(of: job)
      }
      return true
    }
    switch pod["status"]["phase"] {
    case "Succeeded": end(job, "Complete", reason: nil, "")
    case "Failed": end(job, "Failed", reason: "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    default: return false
    }
    return true
  }

  private func makePod(of job: JSONValue) {
    let metadata: JSONValue = [
      "name": .string("\(job.key.name)-pod"), "labels": job["spec"]["template"]["metadata"]["labels"],
      "ownerReferences": [
        [
          "apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"],
          "controller": true, "blockOwnerDeletion": true,
        ]
      ],
    ]
    let pod: JSONValue = [
      "metadata": metadata, "spec": job["spec"]["template"]["spec"], "status": ["phase": "Pending"],
    ]
    _ = try? server.create(Pod.self, pod, namespace: job.key.namespace)
    let now = Timestamp(time.now)
    server.change(Job.self, job.key) { $0["status"]["startTime"] = .string("\(now)") }
  }

  /// Has the Job controller give up the Job called `name`, which does not yet know how its pod ends.
  func giveUp(_ name: String) {
    guard let job = server.json(Job.self, ObjectKey(namespace: "default", name: name)) else { return }
    end(job, "Failed", reason: "BackoffLimitExceeded", "Job has reached the specified backoff limit")
  }

  private func end(_ job: JSONValue, _ type: String, reason: String?, _ message: String) {
    let now = Timestamp(time.now)
    server.change(Job.self, job.key) { job in
      var condition: JSONValue = [
        "type": .string(type), "status": "True", "message": .string(message), "lastTransitionTime": .string("\(now)"),
      ]
      if let reason { condition["reason"] = .string(reason) }
      job["status"]["conditions"] = [condition]
    }
  }

  // MARK: Kubelet

  private func kubelet(_ pod: JSONValue) -> Bool {
    guard let job = pod["metadata"]["ownerReferences"][0]["name"].string else { return false }
    let behaviour = behaviour(of: job)
    switch pod["status"]["phase"] {
    case "Pending" where pod.isBeingDeleted:
      server.delete(Pod.self, pod.key, .init(gracePeriodSeconds: 0))
    case "Pending":
      if case .neverStarts(let reason) = behaviour { return stay(pod, reason) }
      start(pod)
    case "Running" where pod.isBeingDeleted:
      if behaviour == .ignoresStop { return false }
      stop(pod.key)
      server.delete(Pod.self, pod.key, .init(gracePeriodSeconds: 0))
    case "Running":
      switch behaviour {
      case .succeeds: finish(pod, "Succeeded", exitCode: 0, log: "")
      case .fails(let code, let log): finish(pod, "Failed", exitCode: code, log: log)
      default: return false
      }
    case _ where pod.isBeingDeleted: server.delete(Pod.self, pod.key, .init(gracePeriodSeconds: 0))
    default: return false
    }
    return true
  }

  private func behaviour(of job: String) -> Behaviour {
    state.withLock { state in state.behaviours.first { job.hasPrefix($0.key) }?.value } ?? .succeeds
  }

  private func stay(_ pod: JSONValue, _ reason: String) -> Bool {
    let statuses: JSONValue = [
      ["name": "rclone", "image": "rclone:test", "state": ["waiting": ["reason": .string(reason)]]]
    ]
    guard pod["status"]["containerStatuses"] != statuses else { return false }
    server.change(Pod.self, pod.key) { $0["status"]["containerStatuses"] = statuses }
    return true
  }

  private func start(_ pod: JSONValue) {
    let places = (pod["spec"]["containers"][0]["args"].array ?? []).compactMap(\.string).dropFirst()
    let buckets = Set(places.compactMap(Self.bucket))
    let live = Live(run: pod["metadata"]["labels"][BucketSyncNames.Label.runUID].string ?? "", buckets: buckets)
    state.withLock { state in
      for (other, its) in state.live where !its.buckets.isDisjoint(with: buckets) {
        state.violations.append("\(pod.key) starts while \(other) works on \(its.buckets.sorted())")
      }
      state.live[pod.key] = live
    }
    server.change(Pod.self, pod.key) { pod in
      pod["status"] = [
        "phase": "Running", "containerStatuses": [["name": "rclone", "state": ["running": ["startedAt": .null]]]],
      ]
    }
  }

  /// The bucket of `source:data/a`, as rclone gets it from the kubelet: what is `$$` for that is a dollar sign.
  private static func bucket(_ argument: String) -> String? {
    let scalars = argument.replacing("$$", with: "$").unicodeScalars
    guard let colon = scalars.firstIndex(of: ":") else { return nil }
    return scalars[scalars.index(after: colon)...].split(separator: "/").first.map { String($0) }
  }

  private func stop(_ key: ObjectKey) { state.withLock { _ = $0.live.removeValue(forKey: key) } }

  private func finish(_ pod: JSONValue, _ phase: String, exitCode: Int, log: String) {
    stop(pod.key)
    let terminated: JSONValue = [
      "exitCode": .integer(Int64(exitCode)), "reason": exitCode == 0 ? "Completed" : "Error", "message": .string(log),
    ]
    server.change(Pod.self, pod.key) { pod in
      pod["status"] = [
        "phase": .string(phase), "containerStatuses": [["name": "rclone", "state": ["terminated": terminated]]],
      ]
    }
  }

  /// Ends a container that would go on for ever, as a node that dies does.
  func kill(_ prefix: String) {
    for pod in server.all(Pod.self) where pod.metadata.name.hasPrefix(prefix) {
      stop(pod.key)
      server.delete(Pod.self, pod.key, .init(gracePeriodSeconds: 0))
    }
  }

  // MARK: What must hold at every moment

  /// Each running container's run holds the locks of all its buckets.
  private func checkLocks(after change: ServerChange, _ objects: [ResourcePath: JSONValue]) {
    guard change.path.plural == "configmaps" || change.path.plural == "pods" else { return }
    let locks = objects.filter { $0.key.plural == "configmaps" }.map(\.value)
    state.withLock { state in
      for (pod, live) in state.live {
        for bucket in live.buckets {
          let holder = locks.first { $0["data"]["bucket"].string == bucket }?["data"]["holderUID"].string
          if holder != live.run {
            state.violations.append("\(pod) runs, but the lock of \"\(bucket)\" is \(holder ?? "nobody")'s")
          }
        }
      }
    }
  }
}

extension JSONValue {
  fileprivate var key: ObjectKey {
    ObjectKey(namespace: self["metadata"]["namespace"].string, name: self["metadata"]["name"].string ?? "")
  }

  fileprivate var isBeingDeleted: Bool { !self["metadata"]["deletionTimestamp"].isNull }

  /// Whether this Job has ended.
  fileprivate var isOver: Bool { !self["status"]["conditions"].isNull }

  /// When this Job has taken too long.
  fileprivate var deadline: Int64? {
    guard let limit = self["spec"]["activeDeadlineSeconds"].integer,
      let start = self["status"]["startTime"].string.flatMap({ Timestamp($0) })
    else { return nil }
    return start.unixSeconds + limit
  }
}

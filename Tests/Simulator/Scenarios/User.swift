// The people of a world: they write manifests, annotate, edit, delete, and wait for things before they do others.

import BucketSyncAPI
import KubernetesModel
import TestSupport

/// Everybody who is no controller.
final class User {
  private struct Wait {
    var condition: () -> Bool
    var act: () -> Void
  }

  private unowned let world: World
  private var waits: [Wait] = []
  /// When everything was suspended, by the wall clock.
  private(set) var suspendedAt: Timestamp?
  /// Policies whose schedule does not say when runs were due: edited, deleted, or stopped on purpose.
  private(set) var edited: Set<String> = []
  /// Policies whose runs somebody else stands in the way of.
  private(set) var unserved: Set<String> = []

  init(world: World) { self.world = world }

  var cluster: ModelCluster { world.cluster }

  // MARK: When

  /// Does something so many seconds later: after the beginning, if a scenario says so at once.
  func at(_ seconds: Double, _ act: @escaping () -> Void) { world.agenda.after(.seconds(seconds), act) }

  /// Does something a little after `condition` has come true.
  func when(_ condition: @escaping () -> Bool, _ act: @escaping () -> Void) {
    waits.append(Wait(condition: condition, act: act))
  }

  /// Does something a little after a run has come to a phase.
  func when(_ run: String, is phase: BucketSync.Phase, _ act: @escaping () -> Void) {
    when({ [unowned self] in self.find(run)?["status"]["phase"].string == phase.rawValue }, act)
  }

  /// Told of each change.
  func look() {
    for index in waits.indices.reversed() where waits[index].condition() {
      let wait = waits.remove(at: index)
      world.agenda.after(world.chance.duration(in: .milliseconds(1)...(.milliseconds(50)))) { wait.act() }
    }
  }

  // MARK: What there is

  func find(_ run: String) -> JSONValue? { world.server.object(Self.path(BucketSync.resource, run)) }

  /// Names of the runs that a policy has, in order.
  func runs(of policy: String) -> [String] {
    world.server.all(BucketSync.resource).map(\.object.name).filter { $0.hasPrefix("\(policy)-") }
  }

  // MARK: What people do

  func policy(
    _ name: String, from source: String = "a", to destination: String = "b", schedule: String = "0 0 1 1 *",
    limit: Int64? = nil, timeout: String? = nil, suspend: Bool = false
  ) {
    var spec: JSONValue = [
      "source": .string(source), "destination": .string(destination), "schedule": .string(schedule),
    ]
    if let limit { spec["syncHistoryLimit"] = .integer(limit) }
    if let timeout { spec["timeout"] = .string(timeout) }
    if suspend { spec["suspend"] = true }
    create(BucketSyncPolicy.resource, ["metadata": ["name": .string(name)], "spec": spec])
  }

  func run(_ name: String, from source: String = "a", to destination: String = "b", timeout: String? = nil) {
    var spec: JSONValue = ["source": .string(source), "destination": .string(destination)]
    if let timeout { spec["timeout"] = .string(timeout) }
    create(BucketSync.resource, ["metadata": ["name": .string(name)], "spec": spec])
  }

  /// Asks a policy for a run.
  func trigger(_ policy: String, _ value: String) {
    guard world.server.object(Self.path(BucketSyncPolicy.resource, policy)) != nil else { return }
    world.monitor.triggers(policy, value)
    annotate(policy) { $0["metadata"]["annotations"][BucketSyncNames.Annotation.syncNow] = .string(value) }
  }

  func edit(_ policy: String, _ change: (inout JSONValue) -> Void) {
    edited.insert(policy)
    annotate(policy, change)
  }

  /// The policy's ticks cannot have runs.
  func expectsNoRuns(of policy: String) {
    edited.insert(policy)
    unserved.insert(policy)
  }

  func editRun(_ run: String, _ change: (inout JSONValue) -> Void) {
    world.server.update(Self.path(BucketSync.resource, run), by: .user, change)
  }

  /// Sets the finalizers of a Job, which keep it.
  func setFinalizers(ofJob job: String, _ finalizers: [String]) {
    let patch: JSONValue = ["metadata": ["finalizers": .array(finalizers.map { .string($0) })]]
    world.server.patch(Self.path(Job.resource, job), patch, by: .user)
  }

  /// Takes the finalizer off a run and deletes it, whatever goes on.
  func remove(run: String, at seconds: Double) {
    at(seconds) { [unowned self] in
      editRun(run) { $0["metadata"].removeMember("finalizers") }
      delete(run: run)
    }
  }

  private func annotate(_ policy: String, _ change: (inout JSONValue) -> Void) {
    world.server.update(Self.path(BucketSyncPolicy.resource, policy), by: .user, change)
  }

  func delete(policy: String) {
    edited.insert(policy)
    delete(BucketSyncPolicy.resource, policy)
  }
  func delete(run: String) { delete(BucketSync.resource, run) }

  /// Deletes a Job, unless its pod is being evicted: with the pod, nobody but the kubelet would know that it still runs.
  func delete(job: String) {
    let pods = world.server.all(Pod.resource).map(\.object).filter {
      $0["metadata"]["ownerReferences"][0]["name"].string == job
    }
    guard !pods.contains(where: { $0["status"]["phase"] == "Failed" && world.containers.running[$0.uid] != nil }) else {
      return
    }
    delete(Job.resource, job)
  }

  /// Creates something that is none of the operator's business.
  func createForeign(_ type: ResourceType, _ name: String, _ object: JSONValue, namespace: String = "default") {
    var object = object
    object["metadata"]["name"] = .string(name)
    create(type, object, namespace: namespace)
  }

  func deleteForeign(_ type: ResourceType, _ name: String, namespace: String = "default") {
    world.server.delete(ResourcePath(type, ObjectKey(namespace: namespace, name: name)), by: .user)
  }

  /// Deletes every lock, whoever holds it.
  func wipeLocks() {
    world.monitor.locksAreTamperedWith()
    for lock in world.server.all(ConfigMap.resource) { world.server.delete(lock.path, by: .user) }
  }

  func suspendEverything() {
    suspendedAt = Timestamp(world.time.now)
    for policy in world.server.all(BucketSyncPolicy.resource) {
      world.server.update(policy.path, by: .user) { $0["spec"]["suspend"] = true }
    }
  }

  /// SIGTERM for every process; they are started again.
  func restartOperators() { for process in world.processes.values { process.terminate() } }

  /// Kills every process, and starts them again after `downtime`.
  func stopOperators(for downtime: Duration) {
    for name in world.processes.keys.sorted() { world.kill(name, downtime: downtime) }
  }

  func kill(_ process: String) { world.kill(process) }

  func setClocks(by jump: Duration) { world.setClocks(by: jump) }

  private func create(_ type: ResourceType, _ object: JSONValue, namespace: String = "default") {
    world.server.create(type, object, namespace: namespace, by: .user)
  }

  private func delete(_ type: ResourceType, _ name: String) {
    world.server.delete(Self.path(type, name), by: .user)
  }

  static func path(_ type: ResourceType, _ name: String) -> ResourcePath {
    ResourcePath(type, ObjectKey(namespace: "default", name: name))
  }
}

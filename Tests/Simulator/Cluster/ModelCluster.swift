// The rest of the cluster: garbage collector, Job controller, scheduler and kubelet, each woken by changes and acting a
// little later, as the real ones do.
//
// Which containers really run is known here alone (`Containers`), apart from what the API says of them: that is what
// "never two rclone on one bucket" is checked against.

import KubernetesModel
import TestSupport

/// Everything of a cluster that is not the operator.
final class ModelCluster {
  let server: ModelServer
  let agenda: Agenda
  let time: VirtualTime
  let containers: Containers
  /// What the pods of a run do, by how the name of their Job begins; the longest beginning counts.
  var behaviours: [String: PodBehaviour] = [:]
  /// Whether the Job controller replaces a pod only once it has ended, as servers from 1.29 on do when asked to.
  var waitsForTerminatingPods = true
  /// From now on nothing is collected, controlled, scheduled or started: the controller manager is down.
  var isDown = false
  /// Pods, by UID, whose node is out of reach, and what its kubelet will do when it is back.
  var unreachable: Set<String> = []
  var postponed: [String: [() -> Void]] = [:]

  /// By UID of the Job.
  var podsMade: [String: Int] = [:]
  /// Until then something is going to happen.
  private(set) var busyUntil: Duration = .zero

  private var random: SeededRandom
  private var pending: Set<String> = []

  init(server: ModelServer, agenda: Agenda, time: VirtualTime, containers: Containers, seed: UInt64) {
    self.server = server
    self.agenda = agenda
    self.time = time
    self.containers = containers
    random = SeededRandom(seed: seed)
    server.observe { [unowned self] change, _ in wake(after: change) }
  }

  func behaviour(ofJob name: String) -> PodBehaviour {
    behaviours.filter { name.hasPrefix($0.key) }.max { $0.key.count < $1.key.count }?.value ?? .quick
  }

  /// Has `body` happen after `delay`.
  func later(_ delay: Duration, _ body: @escaping () -> Void) {
    busyUntil = max(busyUntil, agenda.now + delay)
    agenda.after(delay, body)
  }

  /// Has `body` happen a little later; once, however often that is said until then.
  func soon(_ what: String, after delay: Duration = .zero, _ body: @escaping () -> Void) {
    guard pending.insert(what).inserted else { return }
    agenda.after(delay + random.duration(in: .milliseconds(1)...(.milliseconds(40)))) { [unowned self] in
      pending.remove(what)
      // What is down does its work when it is up again.
      if isDown { soon(what, after: .seconds(5), body) } else { body() }
    }
  }

  private func wake(after change: ServerChange) {
    if change.kind == .deleted || change.object.isBeingDeleted { wakeGarbageCollector() }
    // Whose owner is gone already when it comes to be: a request that was late.
    if change.kind == .added, change.path.plural != "configmaps" { wakeGarbageCollector() }
    switch change.path.plural {
    case "jobs":
      soon("job \(change.path.name ?? "") \(change.path.namespace ?? "")") { [unowned self] in control(change.path) }
    case "pods":
      if let job = change.object["metadata"]["ownerReferences"][0]["name"].string {
        var path = ResourcePath(Job.resource, ObjectKey(namespace: change.path.namespace, name: job))
        path.subresource = nil
        soon("job \(job) \(path.namespace ?? "")") { [unowned self] in control(path) }
      }
      soon("schedule") { [unowned self] in schedule() }
      soon("kubelet \(change.object.uid)") { [unowned self] in look(after: change.path) }
    default: break
    }
  }

  private func wakeGarbageCollector() {
    soon("garbage") { [unowned self] in
      if server.collectGarbage() { wakeGarbageCollector() }
    }
  }
}

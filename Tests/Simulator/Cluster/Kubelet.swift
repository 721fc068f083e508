// The kubelet: starts the containers of pods that are bound to its node, stops those of pods that are to go, and says so
// — when its node is in reach.

import KubernetesModel
import TestSupport

extension ModelCluster {
  /// Does what is due for the pod at `path`.
  func look(after path: ResourcePath) {
    guard let pod = server.object(path), !pod["spec"]["nodeName"].isNull, !pod.hasEnded else { return }
    let behaviour = behaviour(of: pod)
    if pod.isBeingDeleted { return stop(pod, at: path, behaviour) }
    guard !pod.isRunning, !containers.ended.contains(pod.uid), containers.running[pod.uid] == nil else { return }
    if let reason = behaviour.neverStarts { return stay(path, reason) }
    if case .rejected = behaviour.accident { return reject(path) }
    let uid = pod.uid
    soon("start \(uid)", after: behaviour.startDelay) { [unowned self] in start(path, uid: uid, behaviour) }
  }

  /// Accidents happen to the first pod of a Job; one that replaces it has none.
  private func behaviour(of pod: JSONValue) -> PodBehaviour {
    var behaviour = behaviour(ofJob: pod["metadata"]["ownerReferences"][0]["name"].string ?? "")
    if !pod.name.hasSuffix("-0") { behaviour.accident = nil }
    return behaviour
  }

  private func current(_ path: ResourcePath, uid: String) -> JSONValue? {
    server.object(path).flatMap { $0.uid == uid ? $0 : nil }
  }

  private func stay(_ path: ResourcePath, _ reason: String) {
    server.update(path, status: true, by: .kubelet) {
      $0["status"]["containerStatuses"] = [
        ["name": "rclone", "image": "rclone", "state": ["waiting": ["reason": .string(reason)]]]
      ]
    }
  }

  /// Has no room for the pod, says so, and starts nothing of it.
  private func reject(_ path: ResourcePath) {
    server.update(path, status: true, by: .kubelet) {
      $0["status"] = [
        "phase": "Failed", "reason": "OutOfmemory", "message": "Node didn't have enough resource: memory",
      ]
    }
  }

  private func start(_ path: ResourcePath, uid: String, _ behaviour: PodBehaviour) {
    guard let pod = current(path, uid: uid), !pod.isBeingDeleted, containers.running[uid] == nil,
      !containers.ended.contains(uid)
    else { return }
    containers.start(pod)
    report(
      path, "Running",
      [
        "running": ["startedAt": .string(Timestamp(time.now).description)]
      ])
    if let duration = behaviour.duration {
      later(duration) { [unowned self] in exit(path, uid: uid, code: behaviour.exitCode) }
    }
    switch behaviour.accident {
    case .evicted(let delay):
      later(delay) { [unowned self] in evict(path, uid: uid, behaviour) }
    case .nodeLost(let delay, let time):
      later(delay) { [unowned self] in loseNode(path, uid: uid, for: time) }
    case .nodeDied(let delay):
      later(delay) { [unowned self] in
        containers.end(uid)
        loseNode(path, uid: uid, for: .seconds(600))
      }
    case .deleted(let delay):
      later(delay) { [unowned self] in if current(path, uid: uid) != nil { server.delete(path, by: .user) } }
    case .forgottenByJobController, .deadlineLost, .doubled, .rejected, nil: break
    }
  }

  /// The program ends by itself.
  private func exit(_ path: ResourcePath, uid: String, code: Int64) {
    guard containers.running[uid] != nil else { return }
    containers.end(uid)
    whenReachable(uid) { [unowned self] in
      guard let pod = current(path, uid: uid), !pod.hasEnded else { return }
      let terminated: JSONValue = [
        "exitCode": .integer(code), "reason": code == 0 ? "Completed" : "Error",
        "message": code == 0 ? "" : "ERROR : it did not work",
      ]
      report(path, code == 0 ? "Succeeded" : "Failed", ["terminated": terminated])
      if pod.isBeingDeleted { remove(path, uid: uid) }
    }
  }

  /// Tells the program to end, kills it after 30 s, and lets the pod go once it has ended.
  private func stop(_ pod: JSONValue, at path: ResourcePath, _ behaviour: PodBehaviour) {
    let uid = pod.uid
    whenReachable(uid) { [unowned self] in
      guard containers.running[uid] != nil else { return remove(path, uid: uid) }
      soon("stop \(uid)", after: min(behaviour.stopDelay, .seconds(30))) { [unowned self] in
        containers.end(uid)
        remove(path, uid: uid)
      }
    }
  }

  private func evict(_ path: ResourcePath, uid: String, _ behaviour: PodBehaviour) {
    guard containers.running[uid] != nil, let pod = current(path, uid: uid), !pod.hasEnded else { return }
    server.update(path, status: true, by: .kubelet) {
      $0["status"]["phase"] = "Failed"
      $0["status"]["reason"] = "Evicted"
      $0["status"]["message"] = "The node was low on resource: memory."
    }
    later(min(behaviour.stopDelay + .seconds(2), .seconds(30))) { [unowned self] in
      containers.end(uid)
      let terminated: JSONValue = ["exitCode": 137, "reason": "Error", "message": ""]
      server.update(path, status: true, by: .kubelet) {
        $0["status"]["containerStatuses"] = [["name": "rclone", "state": ["terminated": terminated]]]
      }
    }
  }

  /// The node controller deletes the pods of a node that has been out of reach for five minutes.
  private func loseNode(_ path: ResourcePath, uid: String, for duration: Duration) {
    unreachable.insert(uid)
    later(.seconds(300)) { [unowned self] in
      guard unreachable.contains(uid), current(path, uid: uid)?.hasEnded == false else { return }
      server.delete(path, by: .jobController)
    }
    later(duration) { [unowned self] in
      unreachable.remove(uid)
      for body in postponed.removeValue(forKey: uid) ?? [] { body() }
      // A node that has come back and knows nothing of a container says that the pod has failed.
      if containers.running[uid] == nil, let pod = current(path, uid: uid), !pod.hasEnded {
        report(path, "Failed", ["terminated": ["exitCode": 137, "reason": "ContainerStatusUnknown", "message": ""]])
        if pod.isBeingDeleted { remove(path, uid: uid) }
      }
    }
  }

  private func whenReachable(_ uid: String, _ body: @escaping () -> Void) {
    if unreachable.contains(uid) { postponed[uid, default: []].append(body) } else { body() }
  }

  private func report(_ path: ResourcePath, _ phase: String, _ state: JSONValue) {
    server.update(path, status: true, by: .kubelet) {
      $0["status"] = ["phase": .string(phase), "containerStatuses": [["name": "rclone", "state": state]]]
    }
  }

  private func remove(_ path: ResourcePath, uid: String) {
    guard current(path, uid: uid) != nil else { return }
    server.delete(path, ["gracePeriodSeconds": 0, "propagationPolicy": "Background"], by: .kubelet)
  }
}

// The Job controller and the scheduler, as far as Jobs of one pod without retries go (Kubernetes documentation, "Jobs").

import BucketSyncAPI
import KubernetesModel
import TestSupport

extension ModelCluster {
  /// Does what is due for the Job at `path`.
  func control(_ path: ResourcePath) {
    guard let job = server.object(path), !job.isOver else { return }
    let pods = server.all(Pod.resource).filter { $0.object.controllerUID == job.uid }
    let active = pods.filter { !$0.object.hasEnded && !$0.object.isBeingDeleted }
    let behaviour = behaviour(ofJob: job.name)
    if job["status"]["startTime"].isNull, !job.isBeingDeleted {
      server.update(path, status: true, by: .jobController) {
        $0["status"]["startTime"] = .string(Timestamp(time.now).description)
      }
      if case .deadlineLost = behaviour.accident {
      } else if let limit = job["spec"]["activeDeadlineSeconds"].integer {
        let uid = job.uid
        later(.seconds(limit)) { [unowned self] in exceedDeadline(path, uid: uid) }
      }
    }
    if pods.contains(where: { $0.object["status"]["phase"] == "Succeeded" }) {
      return end(path, "Complete", reason: nil, "")
    }
    if pods.contains(where: { $0.object["status"]["phase"] == "Failed" }) {
      // backoffLimit is 0.
      if case .forgottenByJobController = behaviour.accident {} else { stop(active) }
      return end(path, "Failed", reason: "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    }
    if case .forgottenByJobController = behaviour.accident, active.contains(where: { $0.object.isRunning }) {
      return end(path, "Failed", reason: "DeadlineExceeded", "Job was active longer than specified deadline")
    }
    let isWaiting = waitsForTerminatingPods && pods.contains { !$0.object.hasEnded }
    guard active.isEmpty, !isWaiting, !job.isBeingDeleted else { return }
    let isFirst = podsMade[job.uid] == nil
    makePod(of: job)
    if case .doubled = behaviour.accident, isFirst { makePod(of: job) }
  }

  private func exceedDeadline(_ path: ResourcePath, uid: String) {
    guard let job = server.object(path), job.uid == uid, !job.isOver else { return }
    let pods = server.all(Pod.resource).filter { $0.object.controllerUID == uid }
    stop(pods.filter { !$0.object.hasEnded && !$0.object.isBeingDeleted })
    end(path, "Failed", reason: "DeadlineExceeded", "Job was active longer than specified deadline")
  }

  private func stop(_ pods: [(path: ResourcePath, object: JSONValue)]) {
    for pod in pods { server.delete(pod.path, by: .jobController) }
  }

  private func makePod(of job: JSONValue) {
    let number = podsMade[job.uid, default: 0]
    podsMade[job.uid] = number + 1
    let template = job["spec"]["template"]
    let pod: JSONValue = [
      "metadata": [
        "name": .string("\(job.name)-\(job.uid)-\(number)"), "labels": template["metadata"]["labels"],
        "ownerReferences": [
          [
            "apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"],
            "controller": true, "blockOwnerDeletion": true,
          ]
        ],
      ],
      "spec": template["spec"],
    ]
    server.create(Pod.resource, pod, namespace: job["metadata"]["namespace"].string, by: .jobController)
  }

  private func end(_ path: ResourcePath, _ type: String, reason: String?, _ message: String) {
    server.update(path, status: true, by: .jobController) { job in
      var condition: JSONValue = ["type": .string(type), "status": "True", "message": .string(message)]
      if let reason { condition["reason"] = .string(reason) }
      job["status"]["conditions"] = [condition]
    }
  }

  /// Binds pods to the only node, except those that a required anti-affinity keeps from it: a pod of the same run that
  /// is bound and has not ended.
  func schedule() {
    let pods = server.all(Pod.resource)
    for pod in pods where pod.object["spec"]["nodeName"].isNull && !pod.object.isBeingDeleted && !pod.object.hasEnded {
      let terms = pod.object["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
      let selected = (terms.array ?? []).compactMap {
        $0["labelSelector"]["matchLabels"][BucketSyncNames.Label.runUID].string
      }
      let isKeptOut = server.all(Pod.resource).contains { other in
        guard other.path != pod.path, !other.object["spec"]["nodeName"].isNull, !other.object.hasEnded else {
          return false
        }
        return other.object.label(BucketSyncNames.Label.runUID).map(selected.contains) ?? false
      }
      if !isKeptOut { server.bind(pod.path, to: "node", by: .scheduler) }
    }
  }
}

extension JSONValue {
  /// Whether this Job is complete or has failed.
  var isOver: Bool { has(condition: "Complete") || has(condition: "Failed") }

  /// Whether this pod is in a final phase.
  var hasEnded: Bool { self["status"]["phase"] == "Succeeded" || self["status"]["phase"] == "Failed" }

  var isRunning: Bool { self["status"]["phase"] == "Running" }
}

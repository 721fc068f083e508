// Why a pod ended badly. What happened to the pod as a whole comes first, then what the system did to a container, and
// last what rclone itself said.

import KubernetesModel

/// The reason why a pod failed.
struct FailedPod: Sendable, Hashable {
  /// CamelCase word.
  let reason: String
  /// Sentence for people, free of secrets.
  let message: String

  /// `nil` if the pod does not tell of any failure.
  init?(_ pod: Pod) {
    guard let cause = Self.disruption(of: pod) ?? Self.containerFailure(in: pod) ?? Self.deletion(of: pod) else {
      return nil
    }
    self = cause
  }

  private init(_ reason: String, _ message: String) {
    self.reason = reason
    self.message = message
  }

  /// Something that was done to the pod as a whole.
  private static func disruption(of pod: Pod) -> FailedPod? {
    let condition = pod.status?.conditions?.first { $0.type == "DisruptionTarget" && $0.status == "True" }
    guard let reason = pod.status?.reason ?? condition?.reason else { return nil }
    let details = LogDigest.clean(pod.status?.message ?? condition?.message ?? "")
    let what =
      switch reason {
      case "Evicted": "the node evicted the pod"
      case "EvictionByEvictionAPI": "the pod was evicted, as draining a node does"
      case "Preempting", "PreemptionByScheduler", "PreemptionByKubeScheduler":
        "the pod had to make room for a more important one"
      case "NodeLost", "DeletionByPodGC", "DeletionByTaintManager": "the pod's node was lost"
      case "Shutdown", "NodeShutdown", "Terminated", "TerminationByKubelet": "the pod's node was shutting down"
      case "DeadlineExceeded": "the pod was stopped at its activeDeadlineSeconds"
      default: "the pod failed (\(reason))"
      }
    return FailedPod(reason, details.isEmpty ? what : "\(what): \(details)")
  }

  private static func containerFailure(in pod: Pod) -> FailedPod? {
    let containers = (pod.status?.initContainerStatuses ?? []) + (pod.status?.containerStatuses ?? [])
    let failed = containers.filter { ($0.state?.terminated?.exitCode ?? 0) != 0 }
    // Containers that hooks have added may fail as well; rclone's word counts most.
    guard let container = failed.first(where: { $0.name == RcloneManifest.container }) ?? failed.first,
      let end = container.state?.terminated
    else { return nil }
    if let cause = systemFailure(end, container: container.name, of: pod) { return cause }
    guard container.name == RcloneManifest.container else {
      let words = LogDigest(end.message ?? "").text
      let what = "container \(container.name) ended with exit code \(end.exitCode)"
      return FailedPod("ContainerFailed", words.isEmpty ? what : "\(what): \(words)")
    }
    let failure = RcloneFailure(exitCode: end.exitCode, log: end.message ?? "")
    return FailedPod(failure.reason, failure.message)
  }

  /// What the system did to a container.
  private static func systemFailure(_ end: Pod.Terminated, container: String, of pod: Pod) -> FailedPod? {
    switch (end.reason, end.exitCode) {
    case ("OOMKilled", _):
      return FailedPod(
        "OutOfMemory", "\(container) was killed because it needed more memory than it may have (OOMKilled)")
    case ("ContainerCannotRun", _), ("StartError", _), ("CreateContainerError", _):
      let details = LogDigest.clean(end.message ?? "")
      return FailedPod("StartError", "\(container) could not be started: \(details)")
    case ("ContainerStatusUnknown", _):
      return FailedPod("PodLost", "nothing is known about the end of \(container): its node lost it")
    case (_, 130), (_, 137), (_, 143):
      return deletion(of: pod)
        ?? FailedPod(
          "Killed", "\(container) was stopped from outside (exit code \(end.exitCode), signal \(end.exitCode - 128))")
    default:
      return nil
    }
  }

  private static func deletion(of pod: Pod) -> FailedPod? {
    guard pod.metadata.isBeingDeleted else { return nil }
    return FailedPod(
      "PodDeleted", "pod \(pod.metadata.name) was deleted before it had finished, by a person or by draining its node")
  }
}

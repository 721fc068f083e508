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
    if let cause = systemFailure(end, container: container.name) { return cause }
    let digest = LogDigest(end.message ?? "")
    if let cause = digest.lines.isEmpty ? stop(end, container: container.name, of: pod) : nil { return cause }
    guard container.name == RcloneManifest.container else {
      let what = "container \(container.name) ended with exit code \(end.exitCode)"
      return FailedPod("ContainerFailed", digest.lines.isEmpty ? what : "\(what): \(digest.text)")
    }
    let failure = RcloneFailure(exitCode: end.exitCode, digest)
    return FailedPod(failure.reason, failure.message)
  }

  /// What the system did to a container.
  private static func systemFailure(_ end: Pod.Terminated, container: String) -> FailedPod? {
    switch end.reason {
    case "OOMKilled":
      FailedPod("OutOfMemory", "\(container) was killed because it needed more memory than it may have (OOMKilled)")
    case "StartError", "ContainerCannotRun":
      FailedPod("StartError", "\(container) could not be started: \(LogDigest.clean(end.message ?? ""))")
    case "ContainerStatusUnknown":
      FailedPod("PodLost", "nothing is known about the end of \(container): its node lost it")
    default:
      nil
    }
  }

  /// A container that was told to stop, and had nothing to say about it. As first process of its pod rclone ends with
  /// code 2, as every Go program does there.
  private static func stop(_ end: Pod.Terminated, container: String, of pod: Pod) -> FailedPod? {
    if let cause = deletion(of: pod) { return cause }
    guard [2, 130, 137, 143].contains(end.exitCode) else { return nil }
    return FailedPod("Stopped", "\(container) was stopped from outside (exit code \(end.exitCode), nothing logged)")
  }

  private static func deletion(of pod: Pod) -> FailedPod? {
    guard pod.metadata.isBeingDeleted else { return nil }
    let name = pod.metadata.name
    return FailedPod(
      "PodDeleted",
      "pod \(name) was deleted before it had finished, by a person or by draining its node"
    )
  }
}

// Why a pod does not run yet.
//
// Reasons and messages are chosen so that they stay the same for as long as the trouble does: the kubelet alternates
// between ErrImagePull and ImagePullBackOff, and a status must not follow it to and fro.

import BucketSyncCore
import KubernetesModel

/// A pod none of whose containers has started.
struct PendingPod: Sendable, Hashable {
  let reason: String
  let message: String

  var assessment: JobAssessment { .pending(reason: reason, message: message) }

  /// `nil` if the pod runs, or did.
  init?(_ pod: Pod) {
    let status = pod.status
    guard status?.phase == "Pending" || status?.phase == nil else { return nil }
    let containers = (status?.initContainerStatuses ?? []) + (status?.containerStatuses ?? [])
    // Troubles first: while one container waits for another, the other one's trouble is the one that counts.
    let waiting = containers.compactMap { container in container.state?.waiting.map { (container, $0) } }
    if let (container, state) = waiting.first(where: { !Self.isOnItsWay($0.1) }) {
      self = Self.troubled(container, state, pod: pod.metadata)
    } else if let scheduled = status?.conditions?.first(where: { $0.type == "PodScheduled" && $0.status != "True" }) {
      let details = LogDigest.clean(scheduled.message ?? "it is not scheduled yet")
      self.init(scheduled.reason ?? "Unscheduled", "no node takes the pod: \(details)")
    } else {
      self.init(waiting.first?.1.reason ?? "Pending", "the pod is starting")
    }
  }

  private init(_ reason: String, _ message: String) {
    self.reason = reason
    self.message = message
  }

  private static func troubled(
    _ container: Pod.ContainerStatus,
    _ state: Pod.Waiting,
    pod: ObjectMeta
  ) -> PendingPod {
    let image = container.image ?? ""
    let details = LogDigest.clean(state.message ?? "")
    switch state.reason ?? "" {
    case "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
      return PendingPod(
        "ImagePullFailed",
        """
        image \(image) cannot be pulled; check its name and tag, and whether the node may reach its registry \
        (kubectl describe pod --namespace \(pod.namespace ?? "") \(pod.name) tells more)
        """
      )
    case "InvalidImageName":
      return PendingPod("InvalidImageName", "\"\(image)\" is no image name; correct --rclone-image")
    case "ErrImageNeverPull":
      return PendingPod("ImageNotPresent", "image \(image) is not on the node, and its pull policy is Never")
    case "CreateContainerConfigError":
      return PendingPod(
        "CreateContainerConfigError",
        """
        \(details); create it in namespace "\(pod.namespace ?? "")", or correct spec.sourceEnv or spec.destinationEnv
        """
      )
    case let other:
      return PendingPod(other, "container \(container.name) cannot start: \(details.isEmpty ? other : details)")
    }
  }

  /// Whether a container waits just because starting takes a moment.
  private static func isOnItsWay(_ state: Pod.Waiting) -> Bool {
    ["", "ContainerCreating", "PodInitializing"].contains(state.reason ?? "")
  }
}

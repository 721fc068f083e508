// From a Job and its pods to an assessment.

import BucketSyncCore
import KubernetesModel

/// A Job with its pods, read.
struct JobReading: Sendable {
  let job: Job
  let pods: [Pod]

  var assessment: JobAssessment {
    if job.trueCondition("Complete") != nil { return .ended(.succeeded) }
    if let failure = job.trueCondition("Failed") { return .ended(outcome(of: failure)) }
    guard let pod = currentPod else {
      return .pending(
        reason: "PodMissing",
        message: """
          there is no pod yet; if there is none soon, a quota or an admission webhook may forbid it: \
          kubectl describe job --namespace \(job.metadata.namespace ?? "") \(job.metadata.name)
          """
      )
    }
    return PendingPod(pod)?.assessment ?? .running
  }

  /// The pod that counts: one that stays rather than one that is being deleted, the newest of those.
  private var currentPod: Pod? {
    pods.max { rank($0) < rank($1) }
  }

  private func rank(_ pod: Pod) -> (Int, Int64, String) {
    (pod.metadata.isBeingDeleted ? 0 : 1, pod.metadata.creationTimestamp?.unixSeconds ?? 0, pod.metadata.name)
  }

  private func outcome(of failure: Job.Condition) -> RunOutcome {
    if failure.reason == "DeadlineExceeded" { return deadlineExceeded }
    if let pod = pods.sorted(by: { rank($0) > rank($1) }).lazy.compactMap({ FailedPod($0) }).first {
      return .failed(reason: pod.reason, message: pod.message)
    }
    let details = [failure.reason, failure.message].compactMap(\.self).joined(separator: ": ")
    let words = details.isEmpty ? "" : "; the Job says \(LogDigest.clean(details))"
    guard pods.isEmpty else {
      return .failed(reason: failure.reason ?? "JobFailed", message: "the Job failed while its pod did not\(words)")
    }
    return .failed(
      reason: "PodLost",
      message: """
        the Job failed and no pod is left to tell why, so the pod was deleted from outside (by kubectl, or by draining \
        or losing its node)\(words)
        """
    )
  }

  private var deadlineExceeded: RunOutcome {
    let timeout = job.spec?.activeDeadlineSeconds.map { " of \(DurationText.format(.seconds($0)))" } ?? ""
    if let pod = currentPod, let pending = PendingPod(pod) {
      return .failed(
        reason: "DeadlineExceeded",
        message: "the pod had not even started when spec.timeout\(timeout) was over: \(pending.message)"
      )
    }
    return .failed(
      reason: "DeadlineExceeded",
      message: """
        rclone was stopped because it had not finished within spec.timeout\(timeout); allow it more time if needed
        """
    )
  }
}

// RcloneJob: the Job that runs `rclone sync`, and what its state means. Start reading here.
//
//     RcloneManifest    the Job to be created
//     JobReading        from a Job and its pods to an assessment
//     PendingPod        why a pod does not run yet
//     FailedPod         why a pod ended badly, apart from what rclone itself reports
//     RcloneFailure     rclone's exit code and last words as one message
//     ExitCode          what rclone's exit codes mean
//     LogDigest         the few lines of a log that matter
//     FailureHint       what a person can do about well-known failures
//     Redaction         keeping secrets out of all of it

public import BucketSyncCore
public import KubernetesModel

/// Builds and reads Jobs that run `rclone sync`.
public struct RcloneJob: Plugin, JobBuilder {
  public let name = "RcloneJob"
  private let image: String
  private let imagePullPolicy: String?

  /// - Parameters:
  ///   - image: A container image with `rclone` (1.56 or later) on its path.
  ///   - imagePullPolicy: `Always`, `IfNotPresent` or `Never`; `nil` leaves it to Kubernetes.
  public init(image: String, imagePullPolicy: String?) {
    self.image = image
    self.imagePullPolicy = imagePullPolicy
  }

  public func register(with setup: inout PluginSetup) throws { try setup.buildJob(self) }

  public func buildJob(_ run: RunContext, name: String) async throws -> JobManifest {
    try RcloneManifest(image: image, imagePullPolicy: imagePullPolicy).job(for: run, name: name)
  }

  public func assess(_ job: Job, pods: [Pod]) -> JobAssessment { JobReading(job: job, pods: pods).assessment }
}

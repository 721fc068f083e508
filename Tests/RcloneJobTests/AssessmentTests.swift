import BucketSyncCore
import FoundationEssentials
import KubernetesModel
import RcloneJob
import Testing

@Suite("Reading Jobs of a real cluster")
struct AssessmentTests {
  @Test("a Job that is complete has succeeded", arguments: ["success", "empty"])
  func success(fixture: String) throws { #expect(try Fixture(fixture).assessment == .ended(.succeeded)) }

  @Test(
    "a failure is told by its reason, with the way out",
    arguments: [
      (
        "wrong-source-credentials", "CredentialsRefused",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the source refused the credentials; check \
        spec.sourceEnv and the Secrets named there: ERROR : S3 bucket src: error reading source root directory: \
        S3 ListObjectsV2: status 403, SignatureDoesNotMatch: The request signature we calculated does not match the \
        signature you provided. Check your key and signing method.
        """
      ),
      (
        "unknown-access-key", "CredentialsRefused",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the source refused the credentials; check \
        spec.sourceEnv and the Secrets named there: ERROR : S3 bucket src: error reading source root directory: \
        S3 ListObjectsV2: status 403, InvalidAccessKeyId: The Access Key Id you provided does not exist in our records.
        """
      ),
      (
        "wrong-destination-credentials", "CredentialsRefused",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the destination refused the credentials; \
        check spec.destinationEnv and the Secrets named there: ERROR : S3 bucket dst-wrong-destination-credentials: \
        error reading destination root directory: S3 ListObjectsV2: status 403, InvalidAccessKeyId: The Access Key Id \
        you provided does not exist in our records.; ERROR : grüße ☃.txt: Failed to copy: failed to prepare upload: \
        S3 CreateBucket: status 403, InvalidAccessKeyId: The Access Key Id you provided does not exist in our records.
        """
      ),
      (
        "wrong-destination-many", "CredentialsRefused",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the destination refused the credentials; \
        check spec.destinationEnv and the Secrets named there: ERROR : file number 48.txt: Failed to copy: failed to \
        prepare upload: S3 CreateBucket: status 403, InvalidAccessKeyId: The Access Key Id you provided does not exist \
        in our records.
        """
      ),
      (
        "missing-source-bucket", "BucketNotFound",
        """
        rclone ended with exit code 3 (directory not found): the source does not exist; create the bucket or correct \
        spec.source: ERROR : S3 bucket nope: error reading source root directory: directory not found
        """
      ),
      (
        "missing-destination-bucket", "BucketNotFound",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the destination does not exist; create the \
        bucket or correct spec.destination: ERROR : a folder/grüße 日本語 ☃ $(HOME).txt: Failed to copy: S3 PutObject: \
        status 404, NoSuchBucket: The specified bucket does not exist
        """
      ),
      (
        "no-env", "InvalidConfiguration",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the source has no storage type that rclone \
        knows; check TYPE in spec.sourceEnv: CRITICAL: Failed to create file system for "source:src": didn't find \
        section in config file ("source")
        """
      ),
      (
        "wrong-type", "InvalidConfiguration",
        """
        rclone ended with exit code 1 (error not otherwise categorised): the source has no storage type that rclone \
        knows; check TYPE in spec.sourceEnv: CRITICAL: Failed to create file system for "source:src": didn't find \
        backend called "s4"
        """
      ),
      (
        "usage", "UsageError",
        "rclone ended with exit code 2 (syntax or usage error): NOTICE: Fatal error: unknown flag: --no-such-flag"
      ),
      (
        "out-of-memory", "OutOfMemory",
        "rclone was killed because it needed more memory than it may have (OOMKilled)"
      ),
      (
        "not-executable", "StartError",
        """
        rclone could not be started: failed to create containerd task: failed to create shim task: OCI runtime create \
        failed: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or \
        directory: unknown
        """
      ),
      (
        "node-evicted", "Evicted",
        "the node evicted the pod: Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Mi\"."
      ),
      (
        "deadline", "DeadlineExceeded",
        "rclone was stopped because it had not finished within spec.timeout of 4s; allow it more time if needed"
      ),
      (
        "deadline-pods-gone", "DeadlineExceeded",
        "rclone was stopped because it had not finished within spec.timeout of 4s; allow it more time if needed"
      ),
      (
        "deadline-pending", "DeadlineExceeded",
        """
        the pod had not even started when spec.timeout of 4s was over: no node takes the pod: 0/1 nodes are available: \
        1 Insufficient cpu.
        """
      ),
    ]
  )
  func failure(fixture: String, reason: String, message: String) throws {
    #expect(try Fixture(fixture).assessment == .ended(.failed(reason: reason, message: message)))
  }

  @Test(
    "a pod that does not start is told by its reason, with the way out",
    arguments: [
      ("starting", "ContainerCreating", "the pod is starting"),
      ("unschedulable", "Unschedulable", "no node takes the pod: 0/1 nodes are available: 1 Insufficient cpu."),
      (
        "missing-secret", "CreateContainerConfigError",
        """
        secret "no-such-secret" not found; create it in namespace "default", or correct spec.sourceEnv or \
        spec.destinationEnv
        """
      ),
      (
        "missing-key", "CreateContainerConfigError",
        """
        couldn't find key SECRET_ACCESS_KEY in Secret default/creds-partial; create it in namespace "default", or \
        correct spec.sourceEnv or spec.destinationEnv
        """
      ),
      (
        "image-pull-error", "ImagePullFailed",
        """
        image registry.example.com/rclone/no-such-image:0 cannot be pulled; check its name and tag, and whether the \
        node may reach its registry (kubectl describe pod --namespace default bad-image-pcn2n tells more)
        """
      ),
      (
        "invalid-image", "InvalidImageName",
        "\"registry.example.com/Rclone/BAD IMAGE\" is no image name; correct --rclone-image"
      ),
    ]
  )
  func pending(fixture: String, reason: String, message: String) throws {
    #expect(try Fixture(fixture).assessment == .pending(reason: reason, message: message))
  }

  @Test("what is told does not follow the kubelet's ups and downs while it cannot pull an image")
  func steady() throws {
    #expect(try Fixture("image-pull-error").assessment == Fixture("image-pull-back-off").assessment)
  }

  @Test(
    "a pod that takes the place of a deleted one counts, whatever became of that",
    arguments: ["deleted-and-replaced", "evicted-and-replaced"]
  )
  func replaced(fixture: String) throws {
    let fixture = try Fixture(fixture)
    #expect(fixture.assessment == .running)
    #expect(fixture.pods.count == 2)
  }
}

/// What newer servers say, and what a small cluster cannot be made to say.
@Suite("Reading made-up Jobs")
struct MadeUpJobTests {
  private let plugin = RcloneJob(image: "rclone", imagePullPolicy: nil)

  private let unfinished = Job(metadata: ObjectMeta(name: "nightly", namespace: "default"))

  private func failed() throws -> Job {
    let condition = #"{"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"for reasons"}"#
    var job = unfinished
    job.status = try JSON.decode(Job.Status.self, from: Data(#"{"conditions":[\#(condition)]}"#.utf8))
    return job
  }

  private func pod(_ status: String, isBeingDeleted: Bool = false) throws -> Pod {
    let deletion = isBeingDeleted ? #","deletionTimestamp":"2026-01-01T00:00:00Z""# : ""
    let text = #"{"metadata":{"name":"nightly-x","namespace":"default"\#(deletion)},"status":\#(status)}"#
    return try JSON.decode(Pod.self, from: Data(text.utf8))
  }

  private func failure(_ pods: [Pod]) throws -> String? {
    guard case .ended(.failed(let reason, let message)) = plugin.assess(try failed(), pods: pods) else { return nil }
    return "\(reason): \(message)"
  }

  private func ended(
    _ code: Int,
    _ reason: String = "Error",
    message: String = "",
    container: String = "rclone"
  ) -> String {
    """
    {"phase":"Failed","containerStatuses":[{"name":"\(container)","state":
      {"terminated":{"exitCode":\(code),"reason":"\(reason)","message":"\(message)"}}}]}
    """
  }

  @Test("a Job without a pod says where to look")
  func noPod() {
    guard case .pending("PodMissing", let message) = plugin.assess(unfinished, pods: []) else {
      Issue.record("not pending")
      return
    }
    #expect(message.contains("kubectl describe job --namespace default nightly"))
  }

  @Test("a pod that was deleted while rclone ran is not called a usage error, although the exit code says so")
  func deleted() throws {
    let pod = try pod(ended(2), isBeingDeleted: true)
    #expect(
      try failure([pod])
        == "PodDeleted: pod nightly-x was deleted before it had finished, by a person or by draining its node"
    )
  }

  @Test("a failure of rclone is told although the pod is being deleted by now")
  func failedThenDeleted() throws {
    let pod = try pod(ended(3, message: "ERROR : x: directory not found"), isBeingDeleted: true)
    #expect(try failure([pod])?.contains("exit code 3 (directory not found)") == true)
  }

  @Test("a container that was stopped from outside is told so", arguments: [2, 130, 137, 143])
  func stopped(code: Int) throws {
    #expect(
      try failure([try pod(ended(code))])
        == "Stopped: rclone was stopped from outside (exit code \(code), nothing logged)"
    )
  }

  @Test("a Job whose pod is gone without a trace blames the deletion")
  func lost() throws {
    #expect(try failure([])?.hasPrefix("PodLost: the Job failed and no pod is left to tell why") == true)
    #expect(try failure([])?.hasSuffix("the Job says BackoffLimitExceeded: for reasons") == true)
  }

  @Test("a Job that has failed while its pod goes on is told in the Job's own words")
  func outlived() throws {
    #expect(
      try failure([try pod(#"{"phase":"Running"}"#)])
        == "BackoffLimitExceeded: the Job failed while its pod did not; the Job says BackoffLimitExceeded: for reasons"
    )
  }

  @Test(
    "what befell the pod as a whole comes before the exit code",
    arguments: [
      ("EvictionByEvictionAPI", "the pod was evicted, as draining a node does"),
      ("PreemptionByScheduler", "the pod had to make room for a more important one"),
      ("DeletionByTaintManager", "the pod's node was lost"),
      ("TerminationByKubelet", "the pod's node was shutting down"),
      ("SomethingNew", "the pod failed (SomethingNew)"),
    ]
  )
  func disruption(reason: String, message: String) throws {
    let pod = try pod(
      """
      {"phase":"Failed","conditions":[
         {"type":"DisruptionTarget","status":"True","reason":"\(reason)","message":"because"}],
       "containerStatuses":[{"name":"rclone","state":{"terminated":{"exitCode":143}}}]}
      """,
      isBeingDeleted: true
    )
    #expect(try failure([pod]) == "\(reason): \(message): because")
  }

  @Test("a container that a hook added is called by its name")
  func sidecar() throws {
    let pod = try pod(ended(5, message: "panic: Failed", container: "notify"))
    #expect(try failure([pod]) == "ContainerFailed: container notify ended with exit code 5: panic: Failed")
  }

  @Test("an exit code that rclone does not document is told as it is")
  func unknownCode() throws {
    #expect(
      try failure([try pod(ended(77))]) == "RcloneFailed: rclone ended with exit code 77: it logged no error"
    )
  }

  @Test("a failed pod whose Job has not been told so yet is no pending one")
  func inBetween() throws { #expect(plugin.assess(unfinished, pods: [try pod(ended(1))]) == .running) }

  @Test("a scheduling gate is told like a lack of nodes")
  func gated() throws {
    let pod = try pod(
      #"{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"SchedulingGated"}]}"#
    )
    #expect(
      plugin.assess(unfinished, pods: [pod])
        == .pending(reason: "SchedulingGated", message: "no node takes the pod: it is not scheduled yet")
    )
  }
}

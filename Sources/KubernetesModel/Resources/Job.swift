// Jobs, reduced to how they end. The Job to be created is a JobManifest in the core: hooks may put any field there.

/// `batch/v1 Job`: its metadata and status, and of its spec the time it may take.
public struct Job: KubernetesObject, Hashable {
  public static let resource = ResourceType(group: "batch", version: "v1", kind: "Job", plural: "jobs")

  /// `batch/v1 JobSpec`.
  public struct Spec: Sendable, Hashable, Codable {
    public var activeDeadlineSeconds: Int64?
  }

  /// `batch/v1 JobStatus`.
  public struct Status: Sendable, Hashable, Codable {
    public var active: Int?
    public var succeeded: Int?
    public var failed: Int?
    public var startTime: Timestamp?
    public var completionTime: Timestamp?
    public var conditions: [Condition]?
  }

  /// `batch/v1 JobCondition`; its types of interest are `Complete` and `Failed`.
  public struct Condition: Sendable, Hashable, Codable {
    public var type: String
    public var status: String
    /// For `Failed`: `DeadlineExceeded`, `BackoffLimitExceeded`, `PodFailurePolicy` …
    public var reason: String?
    public var message: String?
    public var lastTransitionTime: Timestamp?

    /// A condition that holds.
    public init(type: String, reason: String?, message: String? = nil, lastTransitionTime: Timestamp? = nil) {
      self.type = type
      status = "True"
      self.reason = reason
      self.message = message
      self.lastTransitionTime = lastTransitionTime
    }
  }

  public var metadata: ObjectMeta
  public var spec: Spec?
  public var status: Status?

  /// A Job as seen in the API.
  public init(metadata: ObjectMeta, spec: Spec? = nil, status: Status? = nil) {
    self.metadata = metadata
    self.spec = spec
    self.status = status
  }

  /// A Job that exists and has not ended.
  public static func remains(_ metadata: ObjectMeta) -> Job? { Job(metadata: metadata) }

  /// The condition of `type`, if it is true.
  public func trueCondition(_ type: String) -> Condition? {
    status?.conditions?.first { $0.type == type && $0.status == "True" }
  }
}

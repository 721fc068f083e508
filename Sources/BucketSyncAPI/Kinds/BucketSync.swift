// A BucketSync is one run: a single execution of a sync, made by a policy or by hand. Its spec never changes.
//
// Decoding is as forgiving as that of BucketSyncPolicy, for the same reason.

public import KubernetesModel

/// One execution of a synchronisation.
public struct BucketSync: KubernetesObject, Hashable {
  public static let resource = ResourceType(
    group: BucketSyncNames.group,
    version: BucketSyncNames.version,
    kind: "BucketSync",
    plural: "bucketsyncs"
  )

  /// Types of the conditions in ``Status/conditions``.
  public enum ConditionType {
    /// Whether the run holds the locks of both its buckets.
    public static let locksAcquired = "LocksAcquired"
    /// True once the run has finished, and its result is `Succeeded` or `Skipped`.
    public static let complete = "Complete"
    /// True once the run has finished with any other result than `Succeeded`.
    public static let failed = "Failed"
  }

  public var metadata: ObjectMeta
  public var spec: Spec
  public var status: Status?

  /// A run to be created or read.
  public init(metadata: ObjectMeta, spec: Spec, status: Status? = nil) {
    self.metadata = metadata
    self.spec = spec
    self.status = status
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    metadata = try fields.decode(ObjectMeta.self, forKey: .metadata)
    spec = fields.lenient(.spec) ?? Spec(source: "", destination: "")
    status = fields.lenient(.status)
  }

  /// Whether the run has reached its terminal phase.
  public var isFinished: Bool { status?.phase == .finished }
}

extension BucketSync {
  /// What is to be synced.
  public struct Spec: Sendable, Hashable, Codable {
    /// Where objects come from; see ``BucketPath`` for both notations.
    public var source: String
    /// Where objects go to; what the source does not have is deleted there.
    public var destination: String
    /// Configuration of the rclone remote `source`, without the prefix `RCLONE_CONFIG_SOURCE_`.
    public var sourceEnv: [EnvVar]?
    /// Configuration of the rclone remote `destination`, without the prefix `RCLONE_CONFIG_DESTINATION_`.
    public var destinationEnv: [EnvVar]?
    /// Labels of the Job's pods.
    public var jobLabels: [String: String]?
    /// How long the Job may run, as ``DurationText``; `nil` sets no bound.
    public var timeout: String?
    /// Whatever site scripts want to know; they see it as `ctx.params`.
    public var parameters: [String: String]?

    /// What is to be synced, and how.
    public init(
      source: String,
      destination: String,
      sourceEnv: [EnvVar]? = nil,
      destinationEnv: [EnvVar]? = nil,
      jobLabels: [String: String]? = nil,
      timeout: String? = nil,
      parameters: [String: String]? = nil
    ) {
      self.source = source
      self.destination = destination
      self.sourceEnv = sourceEnv
      self.destinationEnv = destinationEnv
      self.jobLabels = jobLabels
      self.timeout = timeout
      self.parameters = parameters
    }

    /// What a run of `policy` is to sync.
    public init(_ policy: BucketSyncPolicy.Spec) {
      self.init(
        source: policy.source,
        destination: policy.destination,
        sourceEnv: policy.sourceEnv,
        destinationEnv: policy.destinationEnv,
        jobLabels: policy.jobLabels,
        timeout: policy.timeout,
        parameters: policy.parameters
      )
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      source = fields.lenient(.source) ?? ""
      destination = fields.lenient(.destination) ?? ""
      sourceEnv = fields.lenientList(.sourceEnv)
      destinationEnv = fields.lenientList(.destinationEnv)
      jobLabels = fields.lenient(.jobLabels)
      timeout = fields.lenient(.timeout)
      parameters = fields.lenient(.parameters)
    }
  }

  /// How far the run has come.
  public struct Status: Sendable, Hashable, Codable {
    /// `nil` until the controller has seen the run.
    public var phase: Phase?
    /// Name of the Job.
    public var job: String?
    /// UID of the Job, by which it is known to be ours.
    public var jobUID: String?
    public var startTime: Timestamp?
    public var finishTime: Timestamp?
    /// Set together with ``finishTime``.
    public var result: Result?
    /// From ``startTime`` to ``finishTime``, as ``DurationText``: `1m5s`.
    public var duration: String?
    /// Why the run failed, or what it waits for.
    public var error: String?
    /// When the run was last reconciled with success.
    public var lastReconciledTime: Timestamp?
    /// `metadata.generation` that this status speaks of.
    public var observedGeneration: Int64?
    public var conditions: [Condition]?
    /// What post-sync plugins leave.
    public var notes: [String: String]?

    /// An empty status.
    public init() {}

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      phase = fields.lenient(.phase)
      job = fields.lenient(.job)
      jobUID = fields.lenient(.jobUID)
      startTime = fields.lenient(.startTime)
      finishTime = fields.lenient(.finishTime)
      result = fields.lenient(.result)
      duration = fields.lenient(.duration)
      error = fields.lenient(.error)
      lastReconciledTime = fields.lenient(.lastReconciledTime)
      observedGeneration = fields.lenient(.observedGeneration)
      conditions = fields.lenientList(.conditions)
      notes = fields.lenient(.notes)
    }
  }
}

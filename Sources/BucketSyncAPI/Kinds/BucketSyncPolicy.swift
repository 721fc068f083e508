// A BucketSyncPolicy says what is to be synced with what, and when. The controller makes a BucketSync of it per tick.
//
// Decoding takes whatever the API server may hand out: what is missing reads as empty and is reported by
// SpecValidation, so that a broken object gets a message in its status instead of being lost in a decoder.

public import KubernetesModel

/// A recurring synchronisation of two buckets.
public struct BucketSyncPolicy: KubernetesObject, Hashable {
  public static let resource = ResourceType(
    group: BucketSyncNames.group,
    version: BucketSyncNames.version,
    kind: "BucketSyncPolicy",
    plural: "bucketsyncpolicies"
  )

  /// Types of the conditions in ``Status/conditions``.
  public enum ConditionType {
    /// Whether the policy is understood and its next run will be made on time.
    public static let ready = "Ready"
  }

  public var metadata: ObjectMeta
  public var spec: Spec
  public var status: Status?

  /// A policy to be created or read.
  public init(metadata: ObjectMeta, spec: Spec, status: Status? = nil) {
    self.metadata = metadata
    self.spec = spec
    self.status = status
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    metadata = try fields.decode(ObjectMeta.self, forKey: .metadata)
    spec = fields.lenient(.spec) ?? Spec(source: "", destination: "", schedule: "")
    status = fields.lenient(.status)
  }
}

extension BucketSyncPolicy {
  /// What the user wants.
  public struct Spec: Sendable, Hashable, Codable {
    /// Where objects come from; see ``BucketPath`` for both notations.
    public var source: String
    /// Where objects go to; what the source does not have is deleted there.
    public var destination: String
    /// A cron expression, in UTC.
    public var schedule: String
    /// Configuration of the rclone remote `source`, without the prefix `RCLONE_CONFIG_SOURCE_`.
    public var sourceEnv: [EnvVar]?
    /// Configuration of the rclone remote `destination`, without the prefix `RCLONE_CONFIG_DESTINATION_`.
    public var destinationEnv: [EnvVar]?
    /// How many finished runs are kept; `nil` keeps all.
    public var syncHistoryLimit: Int?
    /// Labels of the Job's pods.
    public var jobLabels: [String: String]?
    /// Whether no scheduled runs are to be made.
    public var suspend: Bool?
    /// How long a Job may run, as ``DurationText``; `nil` sets no bound.
    public var timeout: String?
    /// Whatever site scripts want to know; they see it as `ctx.params`.
    public var parameters: [String: String]?

    /// A policy's wishes.
    public init(
      source: String,
      destination: String,
      schedule: String,
      sourceEnv: [EnvVar]? = nil,
      destinationEnv: [EnvVar]? = nil,
      syncHistoryLimit: Int? = nil,
      jobLabels: [String: String]? = nil,
      suspend: Bool? = nil,
      timeout: String? = nil,
      parameters: [String: String]? = nil
    ) {
      self.source = source
      self.destination = destination
      self.schedule = schedule
      self.sourceEnv = sourceEnv
      self.destinationEnv = destinationEnv
      self.syncHistoryLimit = syncHistoryLimit
      self.jobLabels = jobLabels
      self.suspend = suspend
      self.timeout = timeout
      self.parameters = parameters
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      source = fields.lenient(.source) ?? ""
      destination = fields.lenient(.destination) ?? ""
      schedule = fields.lenient(.schedule) ?? ""
      sourceEnv = fields.lenientList(.sourceEnv)
      destinationEnv = fields.lenientList(.destinationEnv)
      syncHistoryLimit = fields.lenient(.syncHistoryLimit)
      jobLabels = fields.lenient(.jobLabels)
      suspend = fields.lenient(.suspend)
      timeout = fields.lenient(.timeout)
      parameters = fields.lenient(.parameters)
    }
  }

  /// What the controller found and did.
  public struct Status: Sendable, Hashable, Codable {
    /// When the most recent run was made.
    public var lastSyncTime: Timestamp?
    /// The next tick; `nil` while suspended or while the schedule is not understood.
    public var nextSyncTime: Timestamp?
    /// When the most recent successful run finished.
    public var lastSuccessfulTime: Timestamp?
    /// The tick of the most recent scheduled run.
    public var lastScheduleTime: Timestamp?
    /// Number of unfinished runs.
    public var active: Int?
    /// What is wrong with the policy, if anything.
    public var error: String?
    /// When the policy was last reconciled with success.
    public var lastReconciledTime: Timestamp?
    /// `metadata.generation` that this status speaks of.
    public var observedGeneration: Int64?
    public var conditions: [Condition]?
    /// Name of the run that the last sync-now trigger made.
    public var lastManualRun: String?

    /// An empty status.
    public init() {}

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      lastSyncTime = fields.lenient(.lastSyncTime)
      nextSyncTime = fields.lenient(.nextSyncTime)
      lastSuccessfulTime = fields.lenient(.lastSuccessfulTime)
      lastScheduleTime = fields.lenient(.lastScheduleTime)
      active = fields.lenient(.active)
      error = fields.lenient(.error)
      lastReconciledTime = fields.lenient(.lastReconciledTime)
      observedGeneration = fields.lenient(.observedGeneration)
      conditions = fields.lenientList(.conditions)
      lastManualRun = fields.lenient(.lastManualRun)
    }
  }
}

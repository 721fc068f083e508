// RunContext: what a plugin sees of a run. Never a secret's value: those live in Secrets that only the pod reads.

public import BucketSyncAPI
public import KubernetesModel

/// One run, as plugins see it.
public struct RunContext: Sendable {
  /// The BucketSync as last read.
  public let run: BucketSync
  /// Where from; checked and canonical.
  public let source: BucketPath
  /// Where to; checked and canonical.
  public let destination: BucketPath
  /// The policy that made the run, if one did and it still exists.
  public let policy: BucketSyncPolicy?
  /// The tick of the schedule that the run stands for; `nil` for other runs.
  public let scheduledTime: Timestamp?

  /// The run's place and identity.
  public var reference: RunReference { RunReference(run) }

  /// The buckets to be locked: sorted, each once.
  public var buckets: [String] { Set([source.bucket, destination.bucket]).sorted() }

  /// Puts a context together. Plugins only need this in their tests.
  public init(
    run: BucketSync, source: BucketPath, destination: BucketPath, policy: BucketSyncPolicy? = nil,
    scheduledTime: Timestamp? = nil
  ) {
    self.run = run
    self.source = source
    self.destination = destination
    self.policy = policy
    self.scheduledTime = scheduledTime
  }
}

/// Identity of a run: a BucketSync by place and UID, so that a later one of the same name is not taken for it.
public struct RunReference: Sendable, Hashable, CustomStringConvertible {
  public var namespace: String
  public var name: String
  public var uid: String

  /// Refers to a run.
  public init(namespace: String, name: String, uid: String) {
    self.namespace = namespace
    self.name = name
    self.uid = uid
  }

  /// Refers to `run`.
  public init(_ run: BucketSync) {
    self.init(namespace: run.metadata.namespace ?? "", name: run.metadata.name, uid: run.metadata.uid ?? "")
  }

  /// `namespace/name`.
  public var description: String { "\(namespace)/\(name)" }
}

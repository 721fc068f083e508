// Leases: what leader election is decided on.

/// `coordination.k8s.io/v1 Lease`.
public struct Lease: KubernetesObject, Hashable {
  public static let resource = ResourceType(
    group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases")

  /// `coordination.k8s.io/v1 LeaseSpec`.
  public struct Spec: Sendable, Hashable, Codable {
    public var holderIdentity: String?
    public var leaseDurationSeconds: Int?
    public var acquireTime: MicroTimestamp?
    public var renewTime: MicroTimestamp?
    public var leaseTransitions: Int?

    /// The claim of a holder.
    public init(
      holderIdentity: String?, leaseDurationSeconds: Int?, acquireTime: MicroTimestamp?, renewTime: MicroTimestamp?,
      leaseTransitions: Int?
    ) {
      self.holderIdentity = holderIdentity
      self.leaseDurationSeconds = leaseDurationSeconds
      self.acquireTime = acquireTime
      self.renewTime = renewTime
      self.leaseTransitions = leaseTransitions
    }
  }

  public var metadata: ObjectMeta
  public var spec: Spec?

  /// A Lease to be created or read.
  public init(metadata: ObjectMeta, spec: Spec? = nil) {
    self.metadata = metadata
    self.spec = spec
  }
}

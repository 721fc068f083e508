// Metadata that every Kubernetes object carries, reduced to what the operator reads.

/// `metav1.ObjectMeta`, without what the operator has no use for (`managedFields` above all).
public struct ObjectMeta: Sendable, Hashable, Codable {
  public var name: String
  public var namespace: String?
  public var uid: String?
  /// The version of the stored object; see ``ResourceVersion`` for what may be done with it.
  public var resourceVersion: String?
  /// Counts changes of `spec`; set by the API server.
  public var generation: Int64?
  public var creationTimestamp: Timestamp?
  /// Set once deletion was asked for; the object then waits for its finalizers.
  public var deletionTimestamp: Timestamp?
  public var labels: [String: String]?
  public var annotations: [String: String]?
  public var ownerReferences: [OwnerReference]?
  public var finalizers: [String]?

  /// Metadata of an object to be created.
  public init(
    name: String, namespace: String? = nil, labels: [String: String]? = nil, annotations: [String: String]? = nil,
    ownerReferences: [OwnerReference]? = nil, finalizers: [String]? = nil
  ) {
    self.name = name
    self.namespace = namespace
    self.labels = labels
    self.annotations = annotations
    self.ownerReferences = ownerReferences
    self.finalizers = finalizers
  }

  /// Where the object is found.
  public var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }

  /// The owner with `controller: true`, of which there is at most one.
  public var controllerOwner: OwnerReference? { ownerReferences?.first { $0.controller == true } }

  /// Whether deletion was asked for.
  public var isBeingDeleted: Bool { deletionTimestamp != nil }
}

/// `metav1.OwnerReference`.
public struct OwnerReference: Sendable, Hashable, Codable {
  public var apiVersion: String
  public var kind: String
  public var name: String
  public var uid: String
  /// Whether this owner is the managing controller.
  public var controller: Bool?
  /// Whether foreground deletion of the owner waits for this object.
  public var blockOwnerDeletion: Bool?

  /// A reference to an owner.
  public init(
    apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil,
    blockOwnerDeletion: Bool? = nil
  ) {
    self.apiVersion = apiVersion
    self.kind = kind
    self.name = name
    self.uid = uid
    self.controller = controller
    self.blockOwnerDeletion = blockOwnerDeletion
  }
}

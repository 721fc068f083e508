// References to objects of any type, as events carry them.

/// `v1 ObjectReference`.
public struct ObjectReference: Sendable, Hashable, Codable {
  public var apiVersion: String?
  public var kind: String?
  public var namespace: String?
  public var name: String?
  public var uid: String?
  public var resourceVersion: String?
  /// A part of the object, `spec.containers{rclone}`.
  public var fieldPath: String?

  /// A reference with just these parts.
  public init(
    apiVersion: String? = nil,
    kind: String? = nil,
    namespace: String? = nil,
    name: String? = nil,
    uid: String? = nil,
    resourceVersion: String? = nil,
    fieldPath: String? = nil
  ) {
    self.apiVersion = apiVersion
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.uid = uid
    self.resourceVersion = resourceVersion
    self.fieldPath = fieldPath
  }
}

extension KubernetesObject {
  /// A reference to this object in its present version.
  public var reference: ObjectReference {
    ObjectReference(
      apiVersion: Self.resource.apiVersion,
      kind: Self.resource.kind,
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion
    )
  }
}

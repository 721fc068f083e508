// What makes a Swift type a Kubernetes object, and how its resource is addressed.

/// A typed view of a Kubernetes object: some of its fields, decoded.
///
/// Types decode only the fields they declare, so they must never be written back with a full update; write with
/// patches, or create.
public protocol KubernetesObject: Sendable, Codable {
  /// Where objects of this type live in the API.
  static var resource: ResourceType { get }
  /// The object's metadata.
  var metadata: ObjectMeta { get set }
  /// What stands for an object of which nothing but `metadata` can be read; `nil`, the default, lets it count as absent.
  ///
  /// For types whose absence would permit something: a pod that is gone, a lock that is free. What stands for such an
  /// object must permit no more than any object in its place might.
  static func remains(_ metadata: ObjectMeta) -> Self?
}

extension KubernetesObject {
  public static func remains(_ metadata: ObjectMeta) -> Self? { nil }

  /// Namespace and name of the object.
  public var key: ObjectKey { metadata.key }

  /// A reference to this object for `metadata.ownerReferences` of what it owns and controls.
  ///
  /// `blockOwnerDeletion` stays unset: setting it needs the right to update the owner's finalizers.
  public func controllerReference() -> OwnerReference {
    OwnerReference(
      apiVersion: Self.resource.apiVersion, kind: Self.resource.kind, name: metadata.name, uid: metadata.uid ?? "",
      controller: true)
  }
}

/// A resource type of the API: `batch/v1 jobs`, for example.
public struct ResourceType: Sendable, Hashable {
  /// The API group; empty for the core group.
  public var group: String
  public var version: String
  public var kind: String
  /// The plural name that paths use, `jobs`.
  public var plural: String
  public var isNamespaced: Bool

  /// Describes a resource type.
  public init(group: String, version: String, kind: String, plural: String, isNamespaced: Bool = true) {
    self.group = group
    self.version = version
    self.kind = kind
    self.plural = plural
    self.isNamespaced = isNamespaced
  }

  /// `group/version`, or just the version for the core group.
  public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

  /// The path of all objects of this type, or of those in one namespace: `/apis/batch/v1/namespaces/default/jobs`.
  public func path(namespace: String? = nil) -> String {
    let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
    guard isNamespaced, let namespace else { return "\(root)/\(plural)" }
    return "\(root)/namespaces/\(namespace)/\(plural)"
  }
}

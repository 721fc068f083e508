// The place of an object within its resource type.

/// Namespace and name of an object; the namespace is `nil` for cluster-scoped objects.
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var namespace: String?
  public var name: String

  /// The key of `name` in `namespace`.
  public init(namespace: String?, name: String) {
    self.namespace = namespace
    self.name = name
  }

  /// `namespace/name`, or `name` for a cluster-scoped object.
  public var description: String { namespace.map { "\($0)/\(name)" } ?? name }

  /// Orders by namespace, then by name.
  public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    (left.namespace ?? "", left.name) < (right.namespace ?? "", right.name)
  }
}

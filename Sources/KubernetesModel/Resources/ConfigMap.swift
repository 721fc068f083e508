// ConfigMaps: what bucket locks are kept in.

/// `v1 ConfigMap`.
public struct ConfigMap: KubernetesObject, Hashable {
  public static let resource = ResourceType(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps")

  public var metadata: ObjectMeta
  public var data: [String: String]?

  /// A ConfigMap to be created.
  public init(metadata: ObjectMeta, data: [String: String]? = nil) {
    self.metadata = metadata
    self.data = data
  }

  /// A ConfigMap that is in the way: who it belongs to cannot be told.
  public static func remains(_ metadata: ObjectMeta) -> ConfigMap? { ConfigMap(metadata: metadata) }
}

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
}

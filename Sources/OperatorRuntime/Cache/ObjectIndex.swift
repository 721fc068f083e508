// Indexes: finding cached objects by something other than their key, without looking at all of them.

public import KubernetesModel

/// A way to look objects up: the values under which each object is to be found, for example its owner's UID.
public struct ObjectIndex<Object: KubernetesObject>: Sendable {
  /// Unique within a store.
  public let name: String
  let values: @Sendable (Object) -> [String]

  /// An index named `name`; `values` must depend on nothing but the object.
  public init(_ name: String, _ values: @escaping @Sendable (Object) -> [String]) {
    self.name = name
    self.values = values
  }
}

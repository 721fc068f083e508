// Order of resource versions.
//
// Since KEP-5504 (Kubernetes 1.35) resource versions of one resource type may be compared as decimal integers, which
// every API server backed by etcd has always made them. That comparison is what keeps a cache from going back in
// time after a write of our own; a version that is no integer is treated as newer, so such a server costs freshness
// guarantees, never progress.

/// The version of a stored object, comparable within one resource type.
public struct ResourceVersion: Sendable, Hashable {
  /// The version as the API server wrote it.
  public let text: String

  /// Wraps the text of a version.
  public init(_ text: String) { self.text = text }

  /// Whether this version is known to be older than `other`.
  public func isOlder(than other: ResourceVersion) -> Bool {
    guard let own = UInt64(text), let others = UInt64(other.text) else { return false }
    return own < others
  }
}

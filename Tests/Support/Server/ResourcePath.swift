// Addresses in the API: /apis/batch/v1/namespaces/default/jobs/nightly/status, taken apart.

package import KubernetesModel

/// The address of a collection, an object or a subresource. Of cluster-wide addresses only collections are known.
package struct ResourcePath: Sendable, Hashable, Comparable {
  /// `/api/v1` or `/apis/GROUP/VERSION`.
  package var root: String
  package var namespace: String?
  package var plural: String
  package var name: String?
  package var subresource: String?

  /// `nil` for an address of another shape.
  package init?(_ path: String) {
    // By scalar: a combining mark after the slash makes another Character of it.
    var parts = path.unicodeScalars.split(separator: "/").map { String($0) }[...]
    guard let api = parts.popFirst(), api == "api" || api == "apis" else { return nil }
    let length = api == "api" ? 1 : 2
    guard parts.count > length else { return nil }
    root = "/" + ([api] + parts.prefix(length)).joined(separator: "/")
    parts = parts.dropFirst(length)
    if parts.first == "namespaces", parts.count > 2 {
      namespace = parts.dropFirst().first
      parts = parts.dropFirst(2)
    }
    guard let plural = parts.popFirst() else { return nil }
    self.plural = plural
    name = parts.popFirst()
    subresource = parts.popFirst()
  }

  /// The address of an object of `type`.
  package init(_ type: ResourceType, _ key: ObjectKey) {
    root = type.group.isEmpty ? "/api/\(type.version)" : "/apis/\(type.group)/\(type.version)"
    namespace = key.namespace
    plural = type.plural
    name = key.name
  }

  /// The address as it is written in a request.
  package var text: String {
    let parts = [namespace.map { "namespaces/\($0)" }, plural, name, subresource]
    return root + "/" + parts.compactMap(\.self).joined(separator: "/")
  }

  /// The address of the whole object.
  package var object: ResourcePath {
    var path = self
    path.subresource = nil
    return path
  }

  /// Whether the object lies in the collection that `collection` is the address of.
  package func isWithin(_ collection: ResourcePath) -> Bool {
    root == collection.root && plural == collection.plural
      && (collection.namespace == nil || namespace == collection.namespace)
  }

  package static func < (left: ResourcePath, right: ResourcePath) -> Bool {
    (left.root, left.plural, left.namespace ?? "", left.name ?? "")
      < (right.root, right.plural, right.namespace ?? "", right.name ?? "")
  }
}

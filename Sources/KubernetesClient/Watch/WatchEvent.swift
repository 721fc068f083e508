// What a watch tells, one event per line of its answer.

package import KubernetesModel

/// A change of one object, a sign of life, or the end of the watch.
package enum WatchEvent<O: KubernetesObject>: Sendable {
  case added(O)
  case modified(O)
  /// The object as it was last.
  case deleted(O)
  /// An object was added, modified or deleted that cannot be read.
  case unreadable(UnreadableObject, isDeleted: Bool)
  /// Nothing changed, but the watch can go on from this newer version.
  case bookmark(resourceVersion: String)
  /// The watch is over. `APIError.isExpired`: its version is too old, list again.
  case failed(APIError)
}

extension WatchEvent: Equatable where O: Equatable {}

extension WatchEvent: Decodable {
  private enum Key: String, CodingKey { case type, object }
  private struct Bookmark: Decodable {
    struct Metadata: Decodable { var resourceVersion: String }
    var metadata: Metadata
  }

  /// Decodes one `metav1.WatchEvent`.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let type = try container.decode(String.self, forKey: .type)
    switch type {
    case "ADDED": self = .added(try container.decode(O.self, forKey: .object))
    case "MODIFIED": self = .modified(try container.decode(O.self, forKey: .object))
    case "DELETED": self = .deleted(try container.decode(O.self, forKey: .object))
    case "BOOKMARK":
      self = .bookmark(resourceVersion: try container.decode(Bookmark.self, forKey: .object).metadata.resourceVersion)
    case "ERROR":
      self = .failed(
        .refused(try container.decode(APIStatus.self, forKey: .object), request: "watch \(O.resource.plural)")
      )
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .type,
        in: container,
        debugDescription: "unknown watch event type \(type)"
      )
    }
  }
}

// Tables: lists and objects in the form in which they are shown to people, made by the server. It knows best which columns
// a type has.

import FoundationEssentials
package import KubernetesModel

extension KubernetesClient {
  /// What servers are asked for: a table, or else the objects themselves.
  private static let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

  /// The objects of a type as `meta.k8s.io/v1 Table`: those that the selector fits, or the one called `name`. A server that
  /// knows no tables answers with the objects.
  package func table(
    _ type: ResourceType, namespace: String?, name: String? = nil, labels: String? = nil
  ) async throws(APIError) -> JSONValue {
    let path = name.map { type.path(of: ObjectKey(namespace: namespace, name: $0)) } ?? type.path(namespace: namespace)
    let request = APIRequest(
      .get, path, query: .selecting(labels: labels, fields: nil), accept: Self.accept, timeout: .seconds(60),
      label: .init(verb: name == nil ? "list" : "get", resource: type.plural))
    return try decode(JSONValue.self, from: await send(request), of: request)
  }

  /// Follows the changes after `resourceVersion`, each object as a table of one row, as long as the server lets us.
  package func watchTable(
    _ type: ResourceType, namespace: String?, name: String? = nil, labels: String? = nil, from resourceVersion: String
  ) async throws(APIError) -> DocumentWatch {
    let request = APIRequest(
      .get, type.path(namespace: namespace),
      query: .selecting(labels: labels, fields: name.map { "metadata.name=\($0)" }) + [
        .init("watch", "true"), .init("resourceVersion", resourceVersion),
      ], accept: Self.accept, label: .init(verb: "watch", resource: type.plural))
    return DocumentWatch(stream: try await stream(request), summary: request.summary)
  }
}

/// The events of a watch as documents: `{"type": "MODIFIED", "object": …}`. Ends when the server ends it.
package struct DocumentWatch: AsyncSequence, Sendable {
  package typealias Element = JSONValue

  fileprivate let stream: APIStream
  fileprivate let summary: String

  package func makeAsyncIterator() -> Iterator {
    Iterator(pieces: stream.body.makeAsyncIterator(), summary: summary)
  }

  package struct Iterator: AsyncIteratorProtocol {
    private var pieces: any AsyncIteratorProtocol<Data, any Error>
    private var lines = LineSplitter(limit: 16 << 20)
    private let summary: String

    fileprivate init(pieces: any AsyncIteratorProtocol<Data, any Error>, summary: String) {
      self.pieces = pieces
      self.summary = summary
    }

    /// - Throws: `APIError`.
    package mutating func next() async throws -> JSONValue? {
      do {
        while true {
          if let line = try lines.nextLine() { return try JSON.decode(JSONValue.self, from: line) }
          guard let piece = try await pieces.next(isolation: #isolation) else { return nil }
          lines.append(piece)
        }
      } catch is CancellationError {
        throw APIError.cancelled
      } catch let error as TransportError {
        throw APIError.unreachable("\(summary): \(error)", mayHaveApplied: false)
      } catch {
        throw APIError.malformed("\(summary): unreadable watch event: \(explain(error))")
      }
    }
  }
}

// Watching: a long-running request whose answer is one event per line.

import FoundationEssentials
package import KubernetesModel

extension KubernetesClient {
  /// Follows the changes after `resourceVersion`, as a list returned it, until the server ends the watch after about
  /// `timeout`.
  ///
  /// - Throws: A refusal by status code, 410 included. A refusal inside the stream is its last event,
  ///   ``WatchEvent/failed(_:)``.
  package func watch<O: KubernetesObject>(
    _ type: O.Type,
    namespace: String?,
    labels: String?,
    fields: String?,
    from resourceVersion: String,
    timeout: Duration
  ) async throws(APIError) -> WatchStream<O> {
    var request = APIRequest(
      .get,
      O.resource.path(namespace: namespace),
      query: .selecting(labels: labels, fields: fields),
      label: .init(verb: "watch", resource: O.resource.plural)
    )
    request.query += [
      .init("watch", "true"), .init("allowWatchBookmarks", "true"), .init("resourceVersion", resourceVersion),
      .init("timeoutSeconds", "\(max(1, timeout.components.seconds))"),
    ]
    request.streamTimeout = timeout + .seconds(30)
    return WatchStream(stream: try await stream(request), summary: request.summary)
  }
}

/// The events of one watch. Read once, by one task.
///
/// Ends without a word when the server ends the watch in good order: watch again from the last version seen. Ends
/// after ``WatchEvent/failed(_:)`` in every other case; a cancelled task gets `.failed(.cancelled)`.
package struct WatchStream<O: KubernetesObject>: AsyncSequence, Sendable {
  package typealias Element = WatchEvent<O>
  package typealias Failure = Never

  fileprivate let stream: APIStream
  fileprivate let summary: String

  package func makeAsyncIterator() -> Iterator {
    Iterator(pieces: stream.body.makeAsyncIterator(), summary: summary)
  }

  package struct Iterator: AsyncIteratorProtocol {
    /// Far above what etcd stores of one object.
    private static var longestLine: Int { 16 << 20 }

    private var pieces: any AsyncIteratorProtocol<Data, any Error>
    private var lines = LineSplitter(limit: longestLine)
    private let summary: String
    private var isOver = false

    fileprivate init(pieces: any AsyncIteratorProtocol<Data, any Error>, summary: String) {
      self.pieces = pieces
      self.summary = summary
    }

    package mutating func next() async -> WatchEvent<O>? { await next(isolation: #isolation) }

    package mutating func next(isolation actor: isolated (any Actor)?) async -> WatchEvent<O>? {
      guard !isOver else { return nil }
      do {
        while true {
          if let line = try lines.nextLine() {
            let event = try WatchEvent<O>(line: line)
            if case .failed = event { isOver = true }
            return event
          }
          guard let piece = try await pieces.next(isolation: actor) else { break }
          lines.append(piece)
        }
        isOver = true
        return lines.hasIncompleteLine
          ? .failed(.unreachable("\(summary): the watch ended within an event", mayHaveApplied: false)) : nil
      } catch {
        isOver = true
        return .failed(failure(from: error))
      }
    }

    private func failure(from error: any Error) -> APIError {
      switch error {
      case is CancellationError: .cancelled
      case is DecodingError: .malformed("\(summary): unreadable watch event: \(explain(error))")
      case let error as LineSplitter.LineTooLong:
        .malformed("\(summary): a watch event of more than \(error.limit) bytes")
      default: .unreachable("\(summary): \(error)", mayHaveApplied: false)
      }
    }
  }
}

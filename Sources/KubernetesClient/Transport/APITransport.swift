// The seam between the client and the wire.
//
// Everything the operator says to Kubernetes goes through an APITransport as an HTTP-shaped request. libcurl is one
// implementation (CurlTransport); tests, the simulator and an embedded API server are others.

package import FoundationEssentials

/// Carries requests to an API server.
package protocol APITransport: Sendable {
  /// Sends a request and returns the whole answer, whatever its status code.
  /// - Throws: `TransportError` when no answer arrived; `CancellationError` when the task was cancelled.
  func send(_ request: APIRequest) async throws -> APIResponse

  /// Sends a request and returns as soon as the answer's head has arrived, its body to be read as it comes.
  /// Cancelling the reading task, or letting go of the stream, closes it.
  /// - Throws: as ``send(_:)``.
  func stream(_ request: APIRequest) async throws -> APIStream
}

/// One request to the API server.
package struct APIRequest: Sendable, Hashable {
  package enum Method: String, Sendable {
    case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
  }

  package var method: Method
  /// The path below the server's address, not yet percent-encoded: `/api/v1/namespaces/default/pods`.
  package var path: String
  /// Query items in order, not yet percent-encoded.
  package var query: [QueryItem]
  package var body: Data?
  /// `application/json`, or the type of a patch.
  package var contentType: String?
  /// The media types that the answer may have, most wanted first; `nil` is JSON.
  package var accept: String?
  /// How long the answer may take in all (`send`) or its head (`stream`); `nil` is the transport's default.
  package var timeout: Duration?
  /// How long a streamed answer may take in all; `nil` is without limit.
  package var streamTimeout: Duration?
  /// What the request does, for metrics and logs: the resource and the verb, `jobs`, `create`.
  package var label: Label

  package struct QueryItem: Sendable, Hashable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package struct Label: Sendable, Hashable {
    package var verb: String
    package var resource: String
    package init(verb: String, resource: String) {
      self.verb = verb
      self.resource = resource
    }
  }

  package init(
    _ method: Method,
    _ path: String,
    query: [QueryItem] = [],
    body: Data? = nil,
    contentType: String? = nil,
    accept: String? = nil,
    timeout: Duration? = nil,
    streamTimeout: Duration? = nil,
    label: Label
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.contentType = contentType
    self.accept = accept
    self.timeout = timeout
    self.streamTimeout = streamTimeout
    self.label = label
  }
}

/// A complete answer.
package struct APIResponse: Sendable {
  package var statusCode: Int
  /// Header fields, names in lower case.
  package var headers: [String: String]
  package var body: Data

  package init(statusCode: Int, headers: [String: String] = [:], body: Data = Data()) {
    self.statusCode = statusCode
    self.headers = headers
    self.body = body
  }
}

/// An answer whose body arrives in pieces. The body is read once, by one task.
package struct APIStream: Sendable {
  package var statusCode: Int
  package var headers: [String: String]
  /// Pieces as they arrive, with back-pressure; ends when the server ends the answer.
  package var body: any AsyncSequence<Data, any Error> & Sendable

  package init(
    statusCode: Int,
    headers: [String: String] = [:],
    body: any AsyncSequence<Data, any Error> & Sendable
  ) {
    self.statusCode = statusCode
    self.headers = headers
    self.body = body
  }
}

/// What whole and streamed answers have in common.
protocol APIAnswer {
  var statusCode: Int { get }
}

extension APIResponse: APIAnswer {}
extension APIStream: APIAnswer {}

/// Why no answer arrived.
package struct TransportError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// Nothing was sent: connection refused, name not resolved, TLS refused. The request had no effect.
    case notSent
    /// Sent, but the answer is missing: the request may or may not have had its effect.
    case noAnswer
    /// As `noAnswer`, because time ran out.
    case timedOut
  }

  package var kind: Kind
  /// One sentence with the server's address and what went wrong; never a credential.
  package var description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

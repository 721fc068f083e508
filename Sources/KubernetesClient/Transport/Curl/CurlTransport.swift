// The transport of real life: libcurl, one HTTP/2 connection for everything where the server offers it.
//
// CurlTransport prepares requests and credentials in the calling task; CurlEngine moves the bytes on its own thread;
// a Transfer is what the two share; TransferState is its logic, without I/O.

import FoundationEssentials

/// Sends requests to one API server.
package final class CurlTransport: APITransport {
  private static let requestTimeout = Duration.seconds(15)
  private static let largestAnswer = 64 << 20
  private static let largestBacklog = 256 << 10

  private let engine: CurlEngine
  private let connection: ConnectionSettings
  private let credentials: any CredentialSource
  private let userAgent: String

  /// Starts the engine; nothing is sent yet.
  /// - Parameter userAgent: How this program calls itself, `bucket-sync/1.2.3`.
  package init(
    connection: ConnectionSettings,
    credentials: any CredentialSource,
    userAgent: String
  ) throws(TransportError) {
    engine = try CurlEngine()
    self.connection = connection
    self.credentials = credentials
    self.userAgent = userAgent
  }

  /// Ends all requests; later ones fail. Happens by itself when the last reference goes.
  package func close() { engine.stop() }

  package func send(_ request: APIRequest) async throws -> APIResponse {
    try await authenticated { credential in
      var prepared = prepare(request, credential)
      prepared.timeout = request.timeout ?? Self.requestTimeout
      let transfer = Transfer(prepared, limit: .whole(Self.largestAnswer))
      try await run(transfer, until: .everything)
      let head = try transfer.head()
      switch transfer.take() {
      case .bytes(let body, _):
        if let failure = transfer.failure { throw failure }
        return APIResponse(statusCode: head.statusCode, headers: head.headers, body: body)
      case .failed(let error): throw error
      case .end, .notYet: return APIResponse(statusCode: head.statusCode, headers: head.headers)
      }
    }
  }

  package func stream(_ request: APIRequest) async throws -> APIStream {
    try await authenticated { credential in
      var prepared = prepare(request, credential)
      prepared.timeout = request.streamTimeout
      prepared.headTimeout = request.timeout ?? Self.requestTimeout
      let transfer = Transfer(prepared, limit: .pieces(Self.largestBacklog))
      let body = StreamBody(transfer: transfer, engine: engine)
      try await run(transfer, until: .head)
      let head = try transfer.head()
      return APIStream(statusCode: head.statusCode, headers: head.headers, body: body)
    }
  }
}

extension CurlTransport {
  /// Once more, with another credential, after a 401.
  private func authenticated<Answer: APIAnswer>(
    _ attempt: (Credential) async throws -> Answer
  ) async throws -> Answer {
    let credential = try await credentials.credential()
    let answer = try await attempt(credential)
    guard answer.statusCode == 401, let other = try? await credentials.replacement(for: credential) else {
      return answer
    }
    return try await attempt(other)
  }

  private func prepare(_ request: APIRequest, _ credential: Credential) -> PreparedRequest {
    var headers = ["Accept: \(request.accept ?? "application/json")", "User-Agent: \(userAgent)", "Expect:"]
    if let contentType = request.contentType { headers.append("Content-Type: \(contentType)") }
    if let authorization = credential.authorization { headers.append("Authorization: \(authorization)") }
    if connection.tlsServerName != nil { headers.append("Host: \(connection.authority)") }
    return PreparedRequest(
      method: request.method,
      url: connection.url(of: request),
      headers: headers,
      body: request.body,
      connection: connection,
      clientCertificate: credential.clientCertificate
    )
  }

  private func run(_ transfer: Transfer, until awaited: TransferState.Awaited) async throws {
    try Task.checkCancellation()
    await withTaskCancellationHandler {
      engine.start(transfer)
      await transfer.wait(for: awaited)
    } onCancel: {
      engine.abort(transfer)
    }
  }
}

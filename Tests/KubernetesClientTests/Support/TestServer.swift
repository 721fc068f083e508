// A real HTTP/1.1 server on a loopback port, whose every answer a test scripts.

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A running server; see ``with(_:body:)``.
final class TestServer: Sendable {
  /// Answers one request; throwing closes the connection.
  typealias Handler = @Sendable (Exchange) async throws -> Void

  fileprivate typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

  let port: Int
  private let log = Mutex<[String]>([])

  private let connectionCount = Atomic(0)

  /// How many connections were made so far.
  var connections: Int { connectionCount.load(ordering: .relaxed) }
  /// What was asked so far, `GET /path?query`.
  var requests: [String] { log.withLock { $0 } }
  var address: String { "http://127.0.0.1:\(port)" }

  private init(port: Int) { self.port = port }

  /// Runs `body` while a server answers with `handler`.
  static func with<Result: Sendable>(
    _ handler: @escaping Handler,
    body: @Sendable (TestServer) async throws -> Result
  ) async throws -> Result {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1024)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    let server = TestServer(port: listener.channel.localAddress?.port ?? 0)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try? await withThrowingDiscardingTaskGroup { connections in
          try await listener.executeThenClose { inbound in
            for try await connection in inbound {
              server.connectionCount.add(1, ordering: .relaxed)
              connections.addTask { try? await server.serve(connection, handler) }
            }
          }
        }
      }
      defer { group.cancelAll() }
      return try await body(server)
    }
  }

  private func serve(_ connection: Connection, _ handler: Handler) async throws {
    try await connection.executeThenClose { inbound, outbound in
      var head: HTTPRequestHead?
      var body = ""
      for try await part in inbound {
        switch part {
        case .head(let value): (head, body) = (value, "")
        case .body(let bytes): body += String(buffer: bytes)
        case .end:
          guard let head else { return }
          log.withLock { $0.append("\(head.method) \(head.uri)") }
          try await handler(Exchange(head: head, body: body, channel: connection.channel, outbound: outbound))
        }
      }
    }
  }
}

/// One request and the way to answer it.
struct Exchange: Sendable {
  fileprivate let head: HTTPRequestHead
  let body: String
  fileprivate let channel: any Channel
  fileprivate let outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

  var method: String { head.method.rawValue }
  var uri: String { head.uri }
  func header(_ name: String) -> String { head.headers[name].joined() }

  /// A whole answer.
  func answer(_ status: Int = 200, headers: [(String, String)] = [], _ body: String = "") async throws {
    let all = headers + [("content-length", "\(body.utf8.count)")]
    try await outbound.write(.head(.init(version: .http1_1, status: .init(statusCode: status), headers: .init(all))))
    try await write(body)
    try await end()
  }

  /// The head of an answer in chunks.
  func begin(_ status: Int = 200) async throws {
    try await outbound.write(
      .head(
        .init(version: .http1_1, status: .init(statusCode: status), headers: ["transfer-encoding": "chunked"])
      )
    )
  }

  /// A piece; waits for the client to take what came before.
  func write(_ piece: String) async throws {
    guard !piece.isEmpty else { return }
    try await outbound.write(.body(.byteBuffer(ByteBuffer(string: piece))))
  }

  func end() async throws { try await outbound.write(.end(nil)) }

  /// Ends the connection with a TCP reset.
  func reset() async throws {
    try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close()
  }

  /// Waits until the client has closed the connection.
  func waitForClose() async throws { try await channel.closeFuture.get() }
}

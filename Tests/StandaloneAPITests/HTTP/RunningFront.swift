// An HTTP front over some transport, and raw connections to it.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import NIOCore
import NIOPosix
import OperatorRuntime
import Synchronization
import TestSupport

@testable import StandaloneAPI

/// A front that listens at a socket and at a port.
struct RunningFront {
  static let token = APIToken(value: String(repeating: "0123456789abcdef", count: 4))

  let port: Int
  let socket: String

  /// Runs a front of `transport` beside `body`.
  static func with<Result: Sendable>(
    _ transport: any APITransport, in folder: TemporaryFolder, limits: FrontConnection.Limits = .init(),
    time: any TimeSource = SystemTime(), _ body: (RunningFront) async throws -> Result
  ) async throws -> Result {
    let socket = SocketFile(path: folder.path + "/private/api.socket")
    let front = APIFront(
      transport: transport, socket: socket, address: try LoopbackAddress("127.0.0.1:0"), token: token, limits: limits,
      time: time, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
    let isListening = Signal()
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      let place = PortBox()
      tasks.addTask {
        try await front.run { port in
          place.set(port)
          isListening.raise()
        }
      }
      try await isListening.wait()
      let result = try await body(RunningFront(port: place.port, socket: socket.path))
      tasks.cancelAll()
      return result
    }
  }

  /// Sends `text` on a connection and returns everything that comes back until the server closes it.
  func exchange(_ text: String, overSocket: Bool = false) async throws -> String {
    try await withConnection(overSocket: overSocket) { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      var answer = ""
      do {
        for try await piece in inbound { answer += String(buffer: piece) }
      } catch is IOError {
        // A reset is as good an end as any.
      }
      return answer
    }
  }

  func withConnection<Result: Sendable>(
    overSocket: Bool = false,
    _ body: (
      NIOAsyncChannelInboundStream<ByteBuffer>, NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> Result
  ) async throws -> Result {
    let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    let wrap: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> = { channel in
      channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
    }
    let channel =
      overSocket
      ? try await bootstrap.connect(unixDomainSocketPath: socket, channelInitializer: wrap)
      : try await bootstrap.connect(host: "127.0.0.1", port: port, channelInitializer: wrap)
    return try await channel.executeThenClose(body)
  }

  /// One request on a connection of its own, with the token.
  func get(
    _ path: String, method: String = "GET", host: String = "127.0.0.1", headers: String? = nil, overSocket: Bool = false
  ) async throws -> String {
    let headers = headers ?? "authorization: Bearer \(Self.token.value)\r\n"
    return try await exchange(
      "\(method) \(path) HTTP/1.1\r\nhost: \(host)\r\nconnection: close\r\n\(headers)\r\n", overSocket: overSocket)
  }
}

private final class PortBox: Sendable {
  private let value = Mutex(0)

  var port: Int { value.withLock { $0 } }
  func set(_ port: Int?) { value.withLock { $0 = port ?? 0 } }
}

/// Answers every request with what it was asked.
struct Echo: APITransport {
  func send(_ request: APIRequest) async throws -> APIResponse {
    guard request.path != "/fails" else { throw TransportError(.noAnswer, "the wire was cut") }
    let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    let parts = [
      request.method.rawValue, request.path, query, request.contentType ?? "", request.accept ?? "",
      request.body.map { String(decoding: $0, as: UTF8.self) } ?? "",
    ]
    return APIResponse(
      statusCode: 200, headers: ["content-type": "text/plain"], body: Data(parts.joined(separator: "|").utf8))
  }

  func stream(_ request: APIRequest) async throws -> APIStream { APIStream(try await send(request)) }
}

/// Streams a first piece, and then nothing until whoever reads has gone.
final class Endless: APITransport {
  let isLeft = Signal()

  func send(_ request: APIRequest) async throws -> APIResponse { APIResponse(statusCode: 200) }

  func stream(_ request: APIRequest) async throws -> APIStream {
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    let isLeft = isLeft
    continuation.onTermination = { _ in isLeft.raise() }
    continuation.yield(Data("first\n".utf8))
    return APIStream(statusCode: 200, body: body)
  }
}

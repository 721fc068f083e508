// One request to the server, on a connection of its own.

import NIOCore
import NIOHTTP1
import NIOPosix

/// The way to the server.
struct Upstream: Sendable {
  typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
  typealias Parts = NIOAsyncChannelInboundStream<HTTPClientResponsePart>

  /// An answer that has come completely.
  struct Answer: Sendable {
    var head: HTTPResponseHead
    var body: ByteBuffer
  }

  /// The server has closed the connection before its answer was complete.
  struct BrokenOff: Error {}

  let port: Int

  /// Sends `request`, and gives `body` the parts of its answer as they come.
  func send<Result: Sendable>(
    _ request: ProxiedRequest, _ body: @Sendable (Parts) async throws -> Result
  ) async throws -> Result {
    let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    return try await connection.executeThenClose { inbound, outbound in
      var head = request.head
      head.headers.replaceOrAdd(name: "host", value: "127.0.0.1:\(port)")
      head.headers.replaceOrAdd(name: "connection", value: "close")
      head.headers.remove(name: "expect")
      // What watches say is cut into lines here.
      head.headers.remove(name: "accept-encoding")
      if request.body.readableBytes > 0 {
        head.headers.remove(name: "transfer-encoding")
        head.headers.replaceOrAdd(name: "content-length", value: "\(request.body.readableBytes)")
      }
      try await outbound.write(.head(head))
      if request.body.readableBytes > 0 { try await outbound.write(.body(.byteBuffer(request.body))) }
      try await outbound.write(.end(nil))
      return try await body(inbound)
    }
  }

  /// Sends `request` and returns its complete answer.
  func answer(to request: ProxiedRequest) async throws -> Answer {
    try await send(request) { parts in
      var answer: Answer?
      for try await part in parts {
        switch part {
        case .head(let head): answer = Answer(head: head, body: ByteBuffer())
        case .body(var piece): answer?.body.writeBuffer(&piece)
        case .end:
          guard let answer else { throw BrokenOff() }
          return answer
        }
      }
      throw BrokenOff()
    }
  }
}

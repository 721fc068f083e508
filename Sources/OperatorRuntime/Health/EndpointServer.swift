// The HTTP server for probes and metrics.
//
// It is small on purpose: GET and HEAD, known paths, no bodies. What a careless or hostile client can do is bounded:
// so many connections, so many bytes of header (NIO's decoder), and so long for one request and its answer.

package import KubernetesModel
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Serves endpoints at one or more addresses.
package struct EndpointServer: Sendable {
  /// An address could not be listened at.
  package struct CannotListen: Error, Sendable, CustomStringConvertible {
    package let address: ListenAddress
    package let reason: String
    package var description: String { "cannot listen at \(address): \(reason)" }
  }

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
  private typealias Listener = NIOAsyncChannel<Connection, Never>

  private static let connectionLimit = 256

  private static var headerLimits: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 8 << 10
    limits.maxHeaderListSize = 32 << 10
    limits.maxHeaderFieldCount = 64
    return limits
  }

  private let endpoints: [ListenAddress: [Endpoint]]
  private let requestLimit: Duration
  private let time: any TimeSource
  private let logger: Logger

  /// A server of `endpoints`; a connection on which no request is completely answered for `requestLimit` is closed.
  package init(
    endpoints: [ListenAddress: [Endpoint]],
    requestLimit: Duration = .seconds(60),
    time: any TimeSource,
    logger: Logger
  ) {
    self.endpoints = endpoints
    self.requestLimit = requestLimit
    self.time = time
    self.logger = logger
  }

  /// Serves until the task is cancelled. Calls `listening` once all addresses are listened at, with their ports.
  /// - Throws: ``CannotListen``; `CancellationError`.
  package func run(listening: @Sendable ([ListenAddress: Int]) -> Void = { _ in }) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let result: Result<Void, any Error>
    do {
      try await serve(on: group, listening: listening)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try? await group.shutdownGracefully()
    try result.get()
    try Task.checkCancellation()
  }

  private func serve(
    on group: MultiThreadedEventLoopGroup,
    listening: @Sendable ([ListenAddress: Int]) -> Void
  ) async throws {
    var listeners: [(Listener, [Endpoint])] = []
    var ports: [ListenAddress: Int] = [:]
    for (address, endpoints) in endpoints {
      let listener = try await listen(at: address, on: group)
      ports[address] = listener.channel.localAddress?.port
      listeners.append((listener, endpoints))
      let bound = address.bound(to: ports[address])
      logger.info("listening", metadata: ["address": "\(bound)", "paths": "\(endpoints.map(\.path))"])
    }
    listening(ports)
    try await withThrowingTaskGroup { tasks in
      for (listener, endpoints) in listeners {
        tasks.addTask {
          try await accept(listener, endpoints)
          try Task.checkCancellation()
          throw ListenerClosed()
        }
      }
      try await tasks.waitForAll()
    }
  }

  private func listen(at address: ListenAddress, on group: MultiThreadedEventLoopGroup) async throws -> Listener {
    // Without a host, the IPv6 wildcard takes IPv4 too; where there is no IPv6, IPv4 alone has to do.
    let hosts = address.host.map { [$0] } ?? ["::", "0.0.0.0"]
    var reason = ""
    for host in hosts {
      do {
        return try await ServerBootstrap(group: group)
          .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
          .serverChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
              try channel.pipeline.syncOperations.addHandler(AcceptErrorHandler())
            }
          }
          .bind(host: host, port: address.port) { channel in
            channel.eventLoop.makeCompletedFuture {
              try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: Self.headerLimits
              )
              return try Connection(wrappingChannelSynchronously: channel)
            }
          }
      } catch let error as IOError where error.errnoCode == EADDRINUSE {
        throw CannotListen(address: address, reason: "the address is in use by another process")
      } catch {
        reason = "\(error)"
      }
    }
    throw CannotListen(address: address, reason: reason)
  }

  private func accept(_ listener: Listener, _ endpoints: [Endpoint]) async throws {
    try await ConnectionAcceptor(limit: Self.connectionLimit).accept(from: listener) { connection in
      await handle(connection, endpoints)
    }
  }

  /// Answers the requests of one connection, one after the other. What goes wrong ends this connection only.
  private func handle(_ connection: Connection, _ endpoints: [Endpoint]) async {
    let progress = Progress(time.uptime)
    try? await connection.executeThenClose { inbound, outbound in
      await withTaskGroup { tasks in
        tasks.addTask {
          try? await respond(to: inbound, outbound, endpoints) { progress.answered(at: time.uptime) }
        }
        tasks.addTask {
          while !Task.isCancelled {
            let left = progress.lastAnswer + requestLimit - time.uptime
            guard left > .zero else { return }
            try? await time.sleep(for: left)
          }
        }
        await tasks.next()
        tasks.cancelAll()
      }
    }
  }

  private func respond(
    to inbound: NIOAsyncChannelInboundStream<HTTPServerRequestPart>,
    _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>,
    _ endpoints: [Endpoint],
    answered: @Sendable () -> Void
  ) async throws {
    var current: HTTPRequestHead?
    for try await part in inbound {
      switch part {
      case .head(let head): current = head
      case .body: continue
      case .end:
        guard let head = current else { return }
        let response = await response(to: head, endpoints)
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: response.contentType)
        headers.add(name: "content-length", value: "\(response.body.utf8.count)")
        if response.statusCode == 405 { headers.add(name: "allow", value: "GET, HEAD") }
        if !head.isKeepAlive { headers.add(name: "connection", value: "close") }
        try await outbound.write(
          .head(
            HTTPResponseHead(
              version: .http1_1,
              status: HTTPResponseStatus(statusCode: response.statusCode),
              headers: headers
            )
          )
        )
        if head.method != .HEAD { try await outbound.write(.body(.byteBuffer(ByteBuffer(string: response.body)))) }
        try await outbound.write(.end(nil))
        answered()
        if !head.isKeepAlive { return }
      }
    }
  }

  private func response(to head: HTTPRequestHead, _ endpoints: [Endpoint]) async -> Endpoint.Response {
    let parts = head.uri.split(separator: "?", maxSplits: 1)
    let query = parts.count > 1 ? parts[1].split(separator: "&").compactMap { $0.split(separator: "=").first } : []
    guard let path = parts.first, let endpoint = endpoints.first(where: { $0.path == path }) else {
      return Endpoint.Response(statusCode: 404, body: "not found\n")
    }
    guard head.method == .GET || head.method == .HEAD else {
      return Endpoint.Response(statusCode: 405, body: "only GET and HEAD\n")
    }
    return await endpoint.respond(Set(query.map(String.init)))
  }
}

/// The operating system has closed a listener; nobody else does.
private struct ListenerClosed: Error, CustomStringConvertible {
  let description = "a listener for probes or metrics was closed"
}

/// When a connection last got an answer, or was opened.
private final class Progress: Sendable {
  private let uptime: Mutex<Duration>

  init(_ uptime: Duration) { self.uptime = Mutex(uptime) }

  var lastAnswer: Duration { uptime.withLock { $0 } }
  func answered(at uptime: Duration) { self.uptime.withLock { $0 = uptime } }
}

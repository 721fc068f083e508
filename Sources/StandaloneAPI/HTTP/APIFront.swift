// The API over HTTP/1.1, for programs outside of this process: `homelab-helper bucket-sync get` and its like over a
// unix socket, kubectl over a loopback address. Start reading here.
//
//     APIFront        listens, and accepts connections
//     FrontConnection the requests of one connection, one after the other
//     Doorkeeper      who may ask: Host and Origin headers, token
//     FrontRequest    from HTTP to APIRequest
//     SocketFile, LoopbackAddress, APIToken, PrivateFile, KubeconfigFile   where it listens, and what clients need
//
// On the socket, the file's permissions say who may connect. Over TCP every user of this machine may, and every page
// that a browser shows: hence the token, and the checks against rebound names and foreign origins.

package import KubernetesClient
package import KubernetesModel
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import OperatorRuntime

/// Serves an `APITransport` over HTTP.
package struct APIFront: Sendable {
  /// A place could not be listened at.
  package struct CannotListen: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
  }

  typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
  private typealias Listener = NIOAsyncChannel<Connection, Never>

  /// Each watch holds one.
  private static let connectionLimit = 512

  private static var headerLimits: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 16 << 10
    limits.maxHeaderListSize = 64 << 10
    limits.maxHeaderFieldCount = 64
    return limits
  }

  private let transport: any APITransport
  private let socket: SocketFile?
  private let address: LoopbackAddress?
  private let token: APIToken?
  private let limits: FrontConnection.Limits
  private let time: any TimeSource
  private let logger: Logger

  /// A server of `transport`.
  /// - Parameters:
  ///   - socket: The unix socket to listen at.
  ///   - address: The TCP address to listen at, besides.
  ///   - token: What clients of `address` must know; without it none of them is let in.
  package init(
    transport: any APITransport, socket: SocketFile?, address: LoopbackAddress?, token: APIToken?,
    limits: FrontConnection.Limits = .init(), time: any TimeSource, logger: Logger
  ) {
    self.transport = transport
    self.socket = socket
    self.address = address
    self.token = token
    self.limits = limits
    self.time = time
    self.logger = logger
  }

  /// Serves until the task is cancelled. Calls `listening` once all places are listened at, with the TCP port, if any.
  /// - Throws: ``CannotListen``; what `listening` throws; `CancellationError`.
  package func run(listening: @Sendable (_ port: Int?) async throws -> Void = { _ in }) async throws {
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
    on group: MultiThreadedEventLoopGroup, listening: @Sendable (Int?) async throws -> Void
  ) async throws {
    var listeners: [(Listener, Doorkeeper)] = []
    var port: Int?
    if let address {
      let listener = try await listen(at: address, on: group)
      port = listener.channel.localAddress?.port
      listeners.append((listener, Doorkeeper(token: token)))
      logger.info("the API listens", metadata: ["address": "\(address.address.bound(to: port))"])
    }
    var ownSocket: SocketFile?
    defer { ownSocket?.remove() }
    if let socket {
      listeners.append((try await listen(at: socket, on: group), .open))
      ownSocket = socket
      logger.info("the API listens", metadata: ["socket": "\(socket.path)"])
    }
    try await listening(port)
    try await withThrowingTaskGroup { tasks in
      for (listener, doorkeeper) in listeners {
        tasks.addTask {
          try await accept(listener, doorkeeper)
          try Task.checkCancellation()
          throw CannotListen(description: "a listener of the API was closed by the system")
        }
      }
      try await tasks.waitForAll()
    }
  }

  private func bootstrap(on group: MultiThreadedEventLoopGroup) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptErrorHandler())
        }
      }
  }

  @Sendable private static func setUp(_ channel: any Channel) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.configureHTTPServerPipeline(
        withEncoderConfiguration: .init(), withDecoderLimitConfiguration: headerLimits)
      return try Connection(wrappingChannelSynchronously: channel)
    }
  }

  private func listen(at address: LoopbackAddress, on group: MultiThreadedEventLoopGroup) async throws -> Listener {
    do {
      return try await bootstrap(on: group).bind(
        host: address.host, port: address.address.port, childChannelInitializer: Self.setUp)
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw CannotListen(
        description: "cannot listen at \(address.address): another process does; choose another --api-address")
    } catch {
      throw CannotListen(description: "cannot listen at \(address.address): \(error)")
    }
  }

  private func listen(at socket: SocketFile, on group: MultiThreadedEventLoopGroup) async throws -> Listener {
    do {
      let path = try socket.prepare()
      let listener = try await bootstrap(on: group).bind(
        unixDomainSocketPath: path, childChannelInitializer: Self.setUp)
      try socket.publish()
      return listener
    } catch let error as SocketFile.Unusable {
      throw CannotListen(description: error.description)
    } catch {
      throw CannotListen(description: "cannot listen at \(socket.path): \(error)")
    }
  }

  private func accept(_ listener: Listener, _ doorkeeper: Doorkeeper) async throws {
    try await ConnectionAcceptor(limit: Self.connectionLimit).accept(from: listener) { connection in
      await FrontConnection(
        transport: transport, doorkeeper: doorkeeper, limits: limits, time: time, logger: logger
      ).serve(connection)
    }
  }
}

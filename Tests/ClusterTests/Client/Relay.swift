// A TCP relay between client and API server that can count connections and fall silent, as broken networks do.

import NIOCore
import NIOPosix
import Synchronization

/// A running relay; see ``with(to:body:)``.
final class Relay: Sendable {
  private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  let port: Int
  private let state = Mutex((connections: 0, silenced: 0))

  /// How many connections were made so far.
  var connections: Int { state.withLock { $0.connections } }

  private init(port: Int) { self.port = port }

  /// From now on no connection made so far carries anything, though all stay open.
  func fallSilent() { state.withLock { $0.silenced = $0.connections } }

  /// Runs `body` with a relay to a port of this machine.
  static func with<Result>(to target: Int, body: (Relay) async throws -> Result) async throws -> Result {
    let group = MultiThreadedEventLoopGroup.singleton
    let listener = try await ServerBootstrap(group: group).bind(
      host: "127.0.0.1",
      port: 0,
      childChannelInitializer: wrap
    )
    let relay = Relay(port: listener.channel.localAddress?.port ?? 0)
    let server = Task {
      try await withThrowingDiscardingTaskGroup { connections in
        try await listener.executeThenClose { inbound in
          for try await client in inbound {
            let number = relay.state.withLock { state in
              state.connections += 1
              return state.connections
            }
            connections.addTask {
              try? await relay.join(
                client,
                ClientBootstrap(group: group).connect(host: "127.0.0.1", port: target, channelInitializer: wrap),
                number
              )
            }
          }
        }
      }
    }
    defer { server.cancel() }
    return try await body(relay)
  }

  @Sendable private static func wrap(_ channel: any Channel) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
  }

  private func join(_ client: Connection, _ server: Connection, _ number: Int) async throws {
    try await client.executeThenClose { fromClient, toClient in
      try await server.executeThenClose { fromServer, toServer in
        await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await self.copy(fromClient, to: toServer, number) }
          group.addTask { try await self.copy(fromServer, to: toClient, number) }
          _ = try? await group.next()
          group.cancelAll()
        }
      }
    }
  }

  private func copy(
    _ source: NIOAsyncChannelInboundStream<ByteBuffer>,
    to target: NIOAsyncChannelOutboundWriter<ByteBuffer>,
    _ number: Int
  ) async throws {
    for try await bytes in source where number > state.withLock({ $0.silenced }) { try await target.write(bytes) }
  }
}

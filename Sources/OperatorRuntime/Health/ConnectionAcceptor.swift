// What all our HTTP servers do with a listener: take so many connections at a time, and survive those that fail.

package import NIOCore
import Synchronization

/// Accepts connections up to a limit; more are closed at once.
package struct ConnectionAcceptor: Sendable {
  private let limit: Int

  package init(limit: Int) { self.limit = limit }

  /// Hands connections to `serve`, each in a task of its own, until the listener closes.
  package func accept<Inbound: Sendable, Outbound: Sendable>(
    from listener: NIOAsyncChannel<NIOAsyncChannel<Inbound, Outbound>, Never>,
    serve: @escaping @Sendable (NIOAsyncChannel<Inbound, Outbound>) async -> Void
  ) async throws {
    let open = OpenConnections(limit: limit)
    try await listener.executeThenClose { connections in
      try await withThrowingDiscardingTaskGroup { tasks in
        for try await connection in connections {
          guard open.enter() else {
            try? await connection.channel.close()
            continue
          }
          tasks.addTask {
            await serve(connection)
            open.leave()
          }
        }
      }
    }
  }
}

/// Keeps to itself that one connection could not be accepted (gone already, or no file descriptor left): the listener
/// lives on, and closes by itself when it does not.
package final class AcceptErrorHandler: ChannelInboundHandler {
  package typealias InboundIn = Channel

  package init() {}

  package func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Counts connections up to a limit.
private final class OpenConnections: Sendable {
  private let limit: Int
  private let count = Mutex(0)

  init(limit: Int) { self.limit = limit }

  func enter() -> Bool {
    count.withLock { count in
      guard count < limit else { return false }
      count += 1
      return true
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}

// An HTTP proxy between a controller and an API server that makes things go wrong. Start reading here.
//
//     FaultProxy       listens, counts, and can be told to let no watch through
//     FaultPlan        which fault is met when, drawn from a seed
//     ProxyConnection  the requests of one connection, and what is done to them
//     WatchRelay       the events of one watch, and what is done to them
//     Upstream         one request to the server
//     Timeline         what happened when
//
// Both sides are plain HTTP/1.1 on loopback: `kubectl proxy` speaks TLS to the real server.

import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A running proxy.
package final class FaultProxy: Sendable {
  typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

  private struct State {
    var plan: FaultPlan
    var counts: [String: Int] = [:]
    var blocksWatches = false
    var watches: [Int: any Channel] = [:]
    var nextWatch = 0
    var expirations = 0
  }

  /// Where controllers find it.
  package let port: Int
  package let timeline: Timeline
  let upstream: Int
  private let state: Mutex<State>
  private let server = Mutex<Task<Void, any Error>?>(nil)

  private init(port: Int, upstream: Int, plan: FaultPlan, timeline: Timeline) {
    self.port = port
    self.upstream = upstream
    self.timeline = timeline
    state = Mutex(State(plan: plan))
  }

  /// Starts a proxy to the port of this machine at which the server is, or what leads to it.
  package static func start(to upstream: Int, plan: FaultPlan, timeline: Timeline) async throws -> FaultProxy {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 256)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    let proxy = FaultProxy(
      port: listener.channel.localAddress?.port ?? 0, upstream: upstream, plan: plan, timeline: timeline)
    let server = Task {
      try await withThrowingDiscardingTaskGroup { connections in
        try await listener.executeThenClose { inbound in
          for try await connection in inbound {
            connections.addTask { await ProxyConnection(proxy: proxy, connection: connection).serve() }
          }
        }
      }
    }
    proxy.server.withLock { $0 = server }
    timeline.note("the proxy listens", "seed \(plan.seed)")
    return proxy
  }

  /// Ends it, with every connection.
  package func stop() async {
    let running = server.withLock { server in
      defer { server = nil }
      return server
    }
    running?.cancel()
    _ = await running?.result
  }

  /// From now on nothing goes wrong any more, or what `rates` say.
  package func set(_ rates: FaultRates) {
    state.withLock { $0.plan = FaultPlan(seed: $0.plan.seed, rates: rates) }
  }

  /// Cuts all watches and lets no more through until ``letWatchesThrough()``.
  package func blockWatches() async {
    let watches = state.withLock { state in
      state.blocksWatches = true
      return Array(state.watches.values)
    }
    timeline.note("all watches are cut", "\(watches.count) of them")
    for channel in watches { await channel.reset() }
  }

  /// Lets watches begin again.
  package func letWatchesThrough() {
    timeline.note("watches are let through again")
    state.withLock { $0.blocksWatches = false }
  }

  /// How many times the server itself, not the proxy, said that a version is too old.
  package var expirations: Int { state.withLock(\.expirations) }
}

extension FaultProxy {
  /// The current plan, and how many requests of that kind came before.
  func number(_ kind: String) -> (plan: FaultPlan, number: Int) {
    state.withLock { state in
      state.counts[kind, default: 0] += 1
      return (state.plan, state.counts[kind, default: 1])
    }
  }

  var plan: FaultPlan { state.withLock(\.plan) }
  var blocksWatches: Bool { state.withLock(\.blocksWatches) }

  /// Registers a watch, so that it can be cut.
  /// - Returns: `nil` when no watch may begin.
  func beginWatch(_ channel: any Channel) -> Int? {
    state.withLock { state in
      guard !state.blocksWatches else { return nil }
      state.nextWatch += 1
      state.watches[state.nextWatch] = channel
      return state.nextWatch
    }
  }

  func endWatch(_ number: Int) { state.withLock { $0.watches[number] = nil } }

  func sawExpiration(_ kind: String) {
    state.withLock { $0.expirations += 1 }
    timeline.note(kind, "the server says that the version is too old")
  }
}

extension Channel {
  /// Ends the connection as a crash does: with RST, whatever is still on its way.
  func reset() async {
    try? await (self as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try? await close().get()
  }
}

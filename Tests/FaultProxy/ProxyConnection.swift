// One connection of a controller: its requests, one after the other, and what is done to them.

import NIOCore
import NIOHTTP1

/// Serves one connection.
struct ProxyConnection: Sendable {
  typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

  /// The connection is over.
  struct Over: Error {}

  let proxy: FaultProxy
  let connection: FaultProxy.Connection

  private var channel: any Channel { connection.channel }

  /// Returns when the connection has ended.
  func serve() async {
    await withTaskCancellationHandler {
      try? await connection.executeThenClose { inbound, outbound in
        try await withThrowingTaskGroup { tasks in
          tasks.addTask {
            // Whatever it ends with, nothing waits for the client to close the connection.
            defer { channel.close(promise: nil) }
            try await answer(inbound, outbound)
          }
          // While an answer is on its way nobody reads, so only this tells that the client has gone.
          tasks.addTask { try await channel.closeFuture.get() }
          _ = try await tasks.next()
          tasks.cancelAll()
        }
      }
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  private func answer(
    _ inbound: NIOAsyncChannelInboundStream<HTTPServerRequestPart>, _ outbound: Outbound
  ) async throws {
    var request: ProxiedRequest?
    for try await part in inbound {
      switch part {
      case .head(let head):
        request = ProxiedRequest(head: head, body: ByteBuffer())
        if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
          try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        }
      case .body(var piece): request?.body.writeBuffer(&piece)
      case .end:
        guard let complete = request else { throw Over() }
        request = nil
        proxy.timeline.arrived(method: complete.head.method.rawValue, path: complete.path)
        if complete.isWatch { try await watch(complete, outbound) } else { try await pass(complete, outbound) }
      }
    }
  }

  // MARK: Requests

  private func pass(_ request: ProxiedRequest, _ outbound: Outbound) async throws {
    let (plan, number) = proxy.number(request.kind)
    let what = "\(request.kind) #\(number)"
    let decision = plan.request(request.kind, number)
    let isWrite = request.head.method != .GET
    switch decision.fault {
    case .resetBefore, .tooManyRequests, .serverError, .unavailable:
      return try await refuse(request, what, decision, outbound)
    case .slow where decision.variant % 2 == 0:
      try await Task.sleep(for: decision.delay)
    default: break
    }
    let answer: Upstream.Answer
    do { answer = try await Upstream(port: proxy.upstream).answer(to: request) } catch {
      proxy.timeline.note(what, "no answer from the server: \(error)")
      await channel.reset()
      throw Over()
    }
    if isWrite || decision.fault != nil {
      let delay = decision.fault == .slow ? "\(decision.delay) \(decision.variant % 2 == 0 ? "before " : "after ")" : ""
      proxy.timeline.add(what, decision.fault, "\(delay)\(request.path) → \(answer.head.status.code)")
    }
    switch decision.fault {
    case .resetAfter:
      await channel.reset()
      throw Over()
    case .timedOut: return try await write(.timedOut, outbound)
    case .slow where decision.variant % 2 == 1: try await Task.sleep(for: decision.delay)
    default: break
    }
    try await write(answer, half: decision.fault == .halfAnswer, outbound)
  }

  /// Answers, or not, without having passed the request on.
  private func refuse(
    _ request: ProxiedRequest, _ what: String, _ decision: FaultPlan.Decision, _ outbound: Outbound
  ) async throws {
    proxy.timeline.add(what, decision.fault, request.path)
    switch decision.fault {
    case .tooManyRequests: try await write(.tooManyRequests, outbound)
    case .serverError: try await write(.serverError, outbound)
    case .unavailable: try await write(decision.variant % 2 == 0 ? .unavailable : .patience, outbound)
    case .expiredStatus: try await write(.expired, outbound)
    default:
      await channel.reset()
      throw Over()
    }
  }

  private func write(_ answer: Upstream.Answer, half: Bool, _ outbound: Outbound) async throws {
    var head = answer.head.forwarded
    head.headers.replaceOrAdd(name: "content-length", value: "\(answer.body.readableBytes)")
    try await outbound.write(.head(head))
    var body = answer.body
    if half, let piece = body.readSlice(length: body.readableBytes / 2) {
      if piece.readableBytes > 0 { try await outbound.write(.body(.byteBuffer(piece))) }
      await channel.reset()
      throw Over()
    }
    if body.readableBytes > 0 { try await outbound.write(.body(.byteBuffer(body))) }
    try await outbound.write(.end(nil))
  }

  private func write(_ answer: OwnAnswer, _ outbound: Outbound) async throws {
    let body = ByteBuffer(string: answer.json)
    var headers: HTTPHeaders = ["content-type": "application/json", "content-length": "\(body.readableBytes)"]
    if let seconds = answer.retryAfter { headers.add(name: "retry-after", value: "\(seconds)") }
    let status = HTTPResponseStatus(statusCode: answer.code)
    try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
    try await outbound.write(.body(.byteBuffer(body)))
    try await outbound.write(.end(nil))
  }

  // MARK: Watches

  private func watch(_ request: ProxiedRequest, _ outbound: Outbound) async throws {
    let (plan, number) = proxy.number(request.kind)
    let what = "\(request.kind) #\(number)"
    guard let registration = proxy.beginWatch(channel) else {
      proxy.timeline.add(what, .blockedWatch, "")
      await channel.reset()
      throw Over()
    }
    defer { proxy.endWatch(registration) }
    let decision = plan.watch(request.kind, number)
    switch decision.fault {
    case nil: break
    case .slow:
      proxy.timeline.add(what, .slow, "\(decision.delay)")
      try await Task.sleep(for: decision.delay)
    default: return try await refuse(request, what, decision, outbound)
    }
    let relay = WatchRelay(proxy: proxy, kind: request.kind, number: number, channel: channel)
    do {
      try await Upstream(port: proxy.upstream).send(request) { try await relay.relay($0, to: outbound) }
    } catch let error as Over {
      throw error
    } catch {
      await channel.reset()
      throw Over()
    }
  }
}

extension HTTPResponseHead {
  /// Without what is about one connection only.
  var forwarded: HTTPResponseHead {
    var head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    for name in ["transfer-encoding", "connection", "content-length", "keep-alive"] { head.headers.remove(name: name) }
    return head
  }
}

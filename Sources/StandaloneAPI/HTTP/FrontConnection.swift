// One connection: its requests, one after the other, within limits of size and time. What goes wrong ends this
// connection only.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import NIOCore
import NIOHTTP1
import OperatorRuntime
import Synchronization

/// Answers the requests of one connection.
package struct FrontConnection: Sendable {
  /// What a client may cost.
  package struct Limits: Sendable {
    /// How long a connection may be idle. Longer than clients keep idle connections themselves (Go 90 s, libcurl 118 s),
    /// so that none of them sends a request while we close.
    package var idle = Duration.seconds(300)
    /// From the head of a request to the end of its body.
    package var request = Duration.seconds(30)
    /// From the end of a request to the end of its answer, unless that is a stream.
    package var answer = Duration.seconds(120)
    /// In bytes; as kube-apiserver.
    package var body = 3 << 20

    package init() {}
  }

  private typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>
  typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

  let transport: any APITransport
  let doorkeeper: Doorkeeper
  let limits: Limits
  let time: any TimeSource
  let logger: Logger

  func serve(_ connection: APIFront.Connection) async {
    let deadline = Deadline(time.uptime + limits.idle)
    let isClosed = Signal()
    // While an answer goes out nobody reads, so only this tells that the client has gone.
    connection.channel.closeFuture.whenComplete { _ in isClosed.raise() }
    try? await connection.executeThenClose { inbound, outbound in
      await withTaskGroup { tasks in
        tasks.addTask { try? await answer(inbound, outbound, deadline) }
        tasks.addTask { try? await isClosed.wait() }
        tasks.addTask { try? await deadline.wait(time) }
        await tasks.next()
        tasks.cancelAll()
      }
    }
  }

  private func answer(_ inbound: Inbound, _ outbound: Outbound, _ deadline: Deadline) async throws {
    var current: HTTPRequestHead?
    var body = ByteBuffer()
    for try await part in inbound {
      switch part {
      case .head(let head):
        deadline.set(time.uptime + limits.request)
        if let refusal = doorkeeper.refusal(of: head) ?? FrontRequest.refusal(of: head) {
          return try await refuse(refusal, head, outbound)
        }
        current = head
        body.clear()
        if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
          try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        }
      case .body(var piece):
        guard let head = current else { continue }
        guard body.readableBytes + piece.readableBytes <= limits.body else {
          return try await refuse(
            Refusal(413, "RequestEntityTooLarge", "the body is larger than \(limits.body) bytes"), head, outbound)
        }
        body.writeBuffer(&piece)
      case .end:
        guard let head = current else { return }
        current = nil
        deadline.set(time.uptime + limits.answer)
        guard try await respond(to: head, body, outbound, deadline), head.isKeepAlive else { return }
        deadline.set(time.uptime + limits.idle)
      }
    }
  }

  /// - Returns: Whether the connection can go on.
  private func respond(
    to head: HTTPRequestHead, _ body: ByteBuffer, _ outbound: Outbound, _ deadline: Deadline
  ) async throws -> Bool {
    let request: APIRequest
    do throws(Refusal) {
      request = try FrontRequest.request(head, body)
    } catch {
      try await write(error.response, head, outbound)
      return true
    }
    if Doorkeeper.probes.contains(request.path) {
      let headers = ["content-type": "text/plain; charset=utf-8"]
      try await write(APIResponse(statusCode: 200, headers: headers, body: Data("ok".utf8)), head, outbound)
      return true
    }
    do {
      guard FrontRequest.isStream(request), head.method != .HEAD else {
        try await write(transport.send(request), head, outbound)
        return true
      }
      try await write(transport.stream(request), head, outbound, deadline)
      return true
    } catch let error as TransportError {
      try await write(Refusal(503, "ServiceUnavailable", error.description).response, head, outbound)
      return true
    }
  }

  private func refuse(_ refusal: Refusal, _ head: HTTPRequestHead, _ outbound: Outbound) async throws {
    var response = refusal.response
    response.headers["connection"] = "close"
    try await write(response, head, outbound)
  }

  private func write(_ response: APIResponse, _ head: HTTPRequestHead, _ outbound: Outbound) async throws {
    var headers = fields(response.headers, head)
    headers.replaceOrAdd(name: "content-length", value: "\(response.body.count)")
    try await outbound.write(.head(answerHead(response.statusCode, headers)))
    if head.method != .HEAD, !response.body.isEmpty {
      try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: response.body))))
    }
    try await outbound.write(.end(nil))
  }

  /// Writes pieces as they come, each once the client has taken the one before.
  private func write(
    _ stream: APIStream, _ head: HTTPRequestHead, _ outbound: Outbound, _ deadline: Deadline
  ) async throws {
    try await outbound.write(.head(answerHead(stream.statusCode, fields(stream.headers, head))))
    deadline.set(nil)
    do {
      for try await piece in stream.body where !piece.isEmpty {
        try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: piece))))
      }
    } catch let error as TransportError {
      // The client learns it by the answer that has no end.
      logger.debug("an answer broke off: \(error)")
      throw error
    }
    try Task.checkCancellation()
    deadline.set(time.uptime + limits.answer)
    try await outbound.write(.end(nil))
  }

  private func fields(_ headers: [String: String], _ head: HTTPRequestHead) -> HTTPHeaders {
    var fields = HTTPHeaders()
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) where name != "transfer-encoding" {
      fields.add(name: name, value: value)
    }
    fields.add(name: "cache-control", value: "no-cache, private")
    fields.add(name: "x-content-type-options", value: "nosniff")
    if !head.isKeepAlive, headers["connection"] == nil { fields.add(name: "connection", value: "close") }
    return fields
  }

  private func answerHead(_ statusCode: Int, _ headers: HTTPHeaders) -> HTTPResponseHead {
    HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: statusCode), headers: headers)
  }
}

/// Until when something has to have happened on a connection.
private final class Deadline: Sendable {
  private let end: Mutex<Duration?>
  /// Raised when an end is set where there was none.
  private let isSet = Signal()

  init(_ end: Duration) {
    self.end = Mutex(end)
    isSet.raise()
  }

  func set(_ new: Duration?) {
    end.withLock { $0 = new }
    if new == nil { isSet.lower() } else { isSet.raise() }
  }

  /// Returns once the deadline has passed.
  func wait(_ time: any TimeSource) async throws {
    while true {
      try await isSet.wait()
      guard let left = end.withLock({ $0 }).map({ $0 - time.uptime }) else { continue }
      guard left > .zero else { return }
      try await time.sleep(for: left)
    }
  }
}

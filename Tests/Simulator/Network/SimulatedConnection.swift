// The way of one process to the API server: it takes time, and what is on it goes on without its sender.
//
// A request that was sent takes effect whether or not the process still lives, waits or has given up by then; that is
// what makes late requests possible, which controllers like to forget.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport

/// What one process sends through.
final class SimulatedConnection: APITransport, @unchecked Sendable {
  // Only ever touched by the thread of its world.
  private unowned let world: World
  let process: String
  /// Nothing leaves a dead process any more, and nothing arrives.
  private(set) var isDead = false
  private(set) var feeds: [WatchFeed] = []
  /// By a number that grows, so that their order is that of their beginning.
  private var exchanges: [Int: any Breakable] = [:]
  private var exchangeCount = 0
  /// Watches say nothing until then.
  var silentUntil: Duration = .zero
  /// What goes wrong with the next event of a watch.
  var nextEventFault: Fault?

  /// How long a client waits for an answer if it does not say so itself; as the real transport.
  private static let patience = Duration.seconds(30)
  private static let wire = Duration.microseconds(300)...Duration.milliseconds(4)

  init(world: World, process: String) {
    self.world = world
    self.process = process
  }

  /// The process has died.
  func die() {
    isDead = true
    let open = exchanges.sorted { $0.key < $1.key }.map(\.value)
    exchanges = [:]
    for exchange in open { exchange.fail(CancellationError()) }
    closeFeeds(CancellationError())
  }

  func send(_ request: APIRequest) async throws -> APIResponse {
    try await exchange(request, answer: { [world, process] in world.server.answer(request, by: .process(process)) })
  }

  func stream(_ request: APIRequest) async throws -> APIStream {
    try await exchange(request, answer: { [self] in open(request) })
  }

  /// Breaks all watches off.
  func closeFeeds(_ error: any Error = TransportError(.noAnswer, "the connection broke")) {
    let open = feeds
    feeds = []
    for feed in open { feed.end(error) }
  }

  func forget(_ feed: WatchFeed) { feeds.removeAll { $0 === feed } }

  // MARK: One request

  private func exchange<Answer: SimulatedAnswer>(
    _ request: APIRequest, answer: @escaping () -> Answer
  ) async throws -> Answer {
    try Task.checkCancellation()
    let exchange = Exchange<Answer>()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        exchange.continuation = continuation
        if isDead || Task.isCancelled { return exchange.fail(CancellationError()) }
        begin(exchange, request, answer)
      }
    } onCancel: {
      exchange.fail(CancellationError())
    }
  }

  private func begin<Answer: SimulatedAnswer>(
    _ exchange: Exchange<Answer>, _ request: APIRequest, _ answer: @escaping () -> Answer
  ) {
    let (number, faults) = world.count(request, from: self)
    exchangeCount += 1
    exchange.number = exchangeCount
    exchanges[exchange.number] = exchange
    world.agenda.after(request.timeout ?? Self.patience) { [weak self] in
      exchange.fail(TransportError(.timedOut, "no answer in time"))
      self?.exchanges[exchange.number] = nil
    }
    var way = Way()
    for fault in faults { way.meet(fault) }
    if way.dies == .before { return world.kill(process) }
    if let code = way.refusal {
      return arrive(exchange, number, request, Answer(SimulatedRefusal.response(code)))
    }
    if way.isLost {
      return finish(exchange, .failure(TransportError(.noAnswer, "connection reset by peer")))
    }
    world.agenda.after(way.delay + world.chance.duration(in: Self.wire)) { [world, process] in
      let result = answer()
      world.timeline.note("\(process) #\(number) \(request.summaryLine) → \(result.statusCode)")
      if way.dies == .after { return world.kill(process) }
      switch way.answer {
      case .comes: self.arrive(exchange, number, request, result)
      case .breaks: self.finish(exchange, .failure(TransportError(.noAnswer, "connection reset by peer")))
      case .is504: self.arrive(exchange, number, request, Answer(SimulatedRefusal.response(504)))
      case .isLost: break
      }
    }
  }

  private func arrive<Answer: SimulatedAnswer>(
    _ exchange: Exchange<Answer>, _ number: Int, _ request: APIRequest, _ answer: Answer
  ) { finish(exchange, .success(answer)) }

  private func finish<Answer: Sendable>(_ exchange: Exchange<Answer>, _ result: Result<Answer, any Error>) {
    world.agenda.after(world.chance.duration(in: Self.wire)) { [weak self] in
      self?.exchanges[exchange.number] = nil
      exchange.end(result)
    }
  }

  private func open(_ request: APIRequest) -> APIStream {
    guard let collection = ResourcePath(request.path) else {
      return APIStream(Refusal(404, "NotFound", "no \(request.path)").response)
    }
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    let feed = WatchFeed(world: world, connection: self, collection: collection, request, continuation)
    if !isDead, feed.begin(after: request.value("resourceVersion") ?? "") { feeds.append(feed) }
    return APIStream(statusCode: 200, body: body)
  }
}

/// What faults make of the way of one request.
private struct Way {
  enum Death { case before, after }
  enum Answering { case comes, breaks, is504, isLost }

  var dies: Death?
  var refusal: Int?
  var isLost = false
  var delay: Duration = .zero
  var answer = Answering.comes

  mutating func meet(_ fault: Fault) {
    switch fault {
    case .crashBefore: dies = .before
    case .crashAfter: dies = .after
    case .reset: isLost = true
    case .resetAfter: answer = .breaks
    case .lostAnswer: answer = .isLost
    case .late(let delay):
      self.delay = delay
      answer = .isLost
    case .refused(let code): refusal = code
    case .gatewayTimeout: answer = .is504
    default: break
    }
  }
}

/// An answer that the network can make up.
private protocol SimulatedAnswer: Sendable {
  init(_ response: APIResponse)
  var statusCode: Int { get }
}

extension APIResponse: SimulatedAnswer {
  fileprivate init(_ response: APIResponse) { self = response }
}

extension APIStream: SimulatedAnswer {
  fileprivate init(_ response: APIResponse) {
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    continuation.yield(response.body)
    continuation.finish()
    self.init(statusCode: response.statusCode, headers: response.headers, body: body)
  }
}

private protocol Breakable: AnyObject {
  func fail(_ error: any Error)
}

/// A request whose answer somebody waits for. Only ever touched by the thread of its world.
private final class Exchange<Answer: Sendable>: Breakable, @unchecked Sendable {
  var continuation: CheckedContinuation<Answer, any Error>?
  var number = 0

  func end(_ result: Result<Answer, any Error>) {
    let waiting = continuation
    continuation = nil
    waiting?.resume(with: result)
  }

  func fail(_ error: any Error) { end(.failure(error)) }
}

extension APIRequest {
  /// The request in a line of the timeline: `patch bucketsyncs default/nightly/status`.
  var summaryLine: String {
    guard let path = ResourcePath(path) else { return "\(label.verb) \(self.path)" }
    let place = [path.namespace, path.name, path.subresource].compactMap(\.self).joined(separator: "/")
    return "\(label.verb) \(path.plural) \(place)"
  }
}

/// Refusals that come from the network and its gateways rather than from the rules of the server.
enum SimulatedRefusal {
  static func response(_ code: Int) -> APIResponse {
    let reasons = [
      403: "Forbidden", 409: "Conflict", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
      504: "Timeout",
    ]
    var status = Refusal(code, reasons[code] ?? "Unknown", "simulated refusal \(code)").status
    if code == 429 || code == 503 { status["details"] = ["retryAfterSeconds": 1] }
    return APIResponse(statusCode: code, body: (try? JSON.encode(status)) ?? Data())
  }
}

import FoundationEssentials
import KubernetesModel
import NIOCore
import NIOPosix
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Endpoints", .timeLimit(.minutes(5)))
struct EndpointServerTests {
  let time = ManualTime()
  let metrics = MetricsRegistry()
  let isReady = Signal()

  /// Runs a server with the operator's endpoints beside `body`, which gets its port.
  func withServer(_ body: (Int) async throws -> Void) async throws {
    let address = try #require(try ListenAddress("127.0.0.1:0"))
    let isReady = isReady
    let ready = HealthCheck("cache") { isReady.isRaised ? nil : "not filled yet" }
    let server = EndpointServer(
      endpoints: [
        address: [.checks("/healthz", [.ping]), .checks("/readyz", [.ping, ready]), .metrics(metrics)]
      ],
      time: time,
      logger: .silent
    )
    let ports = Recorded<Int>()
    try await withThrowingTaskGroup { group in
      group.addTask { try await server.run { found in for port in found.values { ports.append(port) } } }
      try await eventually("the server") { !ports.all.isEmpty }
      try await body(ports.all[0])
      group.cancelAll()
    }
  }

  /// Sends `text` on one connection and returns everything that comes back until the server closes it.
  func exchange(_ text: String, port: Int) async throws -> String {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
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

  func get(_ path: String, method: String = "GET", port: Int) async throws -> String {
    try await exchange("\(method) \(path) HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", port: port)
  }

  @Test("a process that answers is healthy")
  func healthy() async throws {
    try await withServer { port in
      let answer = try await get("/healthz", port: port)
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nok"))
      let verbose = try await get("/healthz?verbose", port: port)
      #expect(verbose.hasSuffix("\r\n\r\n[+]ping ok\nhealthz check passed\n"))
    }
  }

  @Test("a process is ready when all checks pass, and says which one does not")
  func readiness() async throws {
    try await withServer { port in
      let answer = try await get("/readyz", port: port)
      #expect(answer.hasPrefix("HTTP/1.1 503 "))
      #expect(answer.hasSuffix("[+]ping ok\n[-]cache failed: not filled yet\nreadyz check failed\n"))
      isReady.raise()
      #expect(try await get("/readyz", port: port).hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test("metrics come in the text format that Prometheus asks for")
  func metricsEndpoint() async throws {
    metrics.counter("a_total", "A.").increment()
    try await withServer { port in
      let answer = try await get("/metrics", port: port)
      #expect(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
      #expect(answer.hasSuffix("\r\n\r\n# HELP a_total A.\n# TYPE a_total counter\na_total 1\n"))
    }
  }

  @Test("HEAD gives the head alone, other methods and paths are refused")
  func refusals() async throws {
    try await withServer { port in
      let head = try await get("/healthz", method: "HEAD", port: port)
      #expect(head.hasPrefix("HTTP/1.1 200 ") && head.contains("content-length: 2\r\n") && head.hasSuffix("\r\n\r\n"))
      #expect(try await get("/healthz", method: "POST", port: port).hasPrefix("HTTP/1.1 405 "))
      #expect(try await get("/secret", port: port).hasPrefix("HTTP/1.1 404 "))
      #expect(try await exchange("nonsense\r\n\r\n", port: port).hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test("several requests sent at once on one connection are answered in order")
  func pipelining() async throws {
    try await withServer { port in
      let request = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
      let last = "GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
      let answer = try await exchange(request + request + last, port: port)
      let statuses = answer.split(separator: "\r\n").filter { $0.contains("HTTP/1.1 ") }.map { $0.suffix(13) }
      #expect(statuses.count == 3)
      #expect(answer.hasSuffix("not found\n"))
    }
  }

  @Test("a header without end is refused")
  func hugeHeader() async throws {
    try await withServer { port in
      let answer = try await exchange(
        "GET /healthz HTTP/1.1\r\nx: " + String(repeating: "a", count: 1 << 20),
        port: port
      )
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test("a client that does not finish its request loses its connection")
  func slowClient() async throws {
    try await withServer { port in
      async let answer = exchange("GET /healthz HTTP/1.1\r\nhost:", port: port)
      try await time.untilSleeping(for: .seconds(60))
      time.advance(by: .seconds(60))
      #expect(try await answer == "")
    }
  }

  @Test("an address in use is one clear error")
  func inUse() async throws {
    try await withServer { port in
      let address = try #require(try ListenAddress("127.0.0.1:\(port)"))
      let second = EndpointServer(endpoints: [address: []], time: time, logger: .silent)
      let error = await #expect(throws: EndpointServer.CannotListen.self) { try await second.run() }
      #expect(
        error?.description == "cannot listen at 127.0.0.1:\(port): the address is in use by another process"
      )
    }
  }

  @Test(
    "addresses are read as flags give them",
    arguments: [
      (":8081", nil, 8081), ("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:1", "::1", 1),
      ("localhost:65535", "localhost", 65535),
    ] as [(String, String?, Int)]
  )
  func addresses(text: String, host: String?, port: Int) throws {
    let address = try #require(try ListenAddress(text))
    #expect(address.host == host && address.port == port)
    #expect(address.description == text)
  }

  @Test("0 turns a server off, and what is no address is an error", arguments: ["", "8081", ":70000", "::1:80", ":x"])
  func badAddresses(text: String) throws {
    #expect(try ListenAddress("0") == nil)
    #expect(throws: ListenAddress.Invalid.self) { try ListenAddress(text) }
  }
}

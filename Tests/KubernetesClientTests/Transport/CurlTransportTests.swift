import FoundationEssentials
import KubernetesModel
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("Requests over libcurl", .timeLimit(.minutes(5)))
struct CurlTransportTests {
  static let label = APIRequest.Label(verb: "get", resource: "tests")

  static func transport(
    to address: String,
    credentials: any CredentialSource = FixedCredential(.none)
  ) throws -> CurlTransport {
    try CurlTransport(
      connection: ConnectionSettings(server: address),
      credentials: credentials,
      userAgent: "bucket-sync/test"
    )
  }

  static func error(_ body: () async throws -> Void) async -> TransportError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? TransportError
    }
  }

  @Test("a request arrives as it was meant, and its answer comes back whole")
  func roundTrip() async throws {
    try await TestServer.with { exchange in
      let fields = ["user-agent", "authorization", "content-type", "accept", "expect"]
        .map { exchange.header($0) }
      try await exchange.answer(
        201,
        headers: [("X-One", "1")],
        "\(exchange.method) \(exchange.uri) \(fields) \(exchange.body)"
      )
    } body: { server in
      let transport = try Self.transport(to: server.address + "/prefix", credentials: FixedCredential(.bearer("t")))
      let response = try await transport.send(
        APIRequest(
          .patch,
          "/a b/ü",
          query: [.init("labelSelector", "a=b,c in (d)"), .init("empty", "")],
          body: Data("{}".utf8),
          contentType: "application/json",
          label: Self.label
        )
      )
      #expect(response.statusCode == 201)
      #expect(response.headers["x-one"] == "1")
      let uri = "/prefix/a%20b/%C3%BC?labelSelector=a%3Db%2Cc%20in%20%28d%29&empty="
      let fields = ["bucket-sync/test", "Bearer t", "application/json", "application/json", ""]
      #expect(String(decoding: response.body, as: UTF8.self) == "PATCH \(uri) \(fields) {}")
    }
  }

  @Test("pieces of a stream arrive while the server is still at it")
  func streaming() async throws {
    let gate = Gate()
    try await TestServer.with { exchange in
      try await exchange.begin()
      try await exchange.write("one")
      await gate.wait()
      try await exchange.write("two")
      try await exchange.end()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let stream = try await transport.stream(APIRequest(.get, "/", label: Self.label))
      var seen: [String] = []
      for try await piece in stream.body {
        seen.append(String(decoding: piece, as: UTF8.self))
        gate.open()
      }
      #expect(seen == ["one", "two"])
    }
  }

  @Test("cancelling a reader ends its wait, and the connection with it")
  func cancellation() async throws {
    let closed = Gate()
    let begun = Gate()
    try await TestServer.with { exchange in
      try await exchange.begin()
      try await exchange.write("one")
      try? await exchange.waitForClose()
      closed.open()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let reader = Task {
        let stream = try await transport.stream(APIRequest(.get, "/", label: Self.label))
        for try await _ in stream.body { begun.open() }
      }
      await begun.wait()
      reader.cancel()
      await #expect(throws: CancellationError.self) { try await reader.value }
      await closed.wait()
    }
  }

  @Test("letting go of a stream closes its connection")
  func letGo() async throws {
    let closed = Gate()
    try await TestServer.with { exchange in
      try await exchange.begin()
      try await exchange.write("one")
      try? await exchange.waitForClose()
      closed.open()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      _ = try await transport.stream(APIRequest(.get, "/", label: Self.label))
      await closed.wait()
      withExtendedLifetime(transport) {}
    }
  }

  @Test("cancelling a request that waits for its answer ends it")
  func cancelledRequest() async throws {
    let arrived = Gate()
    try await TestServer.with { exchange in
      arrived.open()
      try? await exchange.waitForClose()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let task = Task { try await transport.send(APIRequest(.get, "/", label: Self.label)) }
      await arrived.wait()
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
  }

  @Test("a connection that is reset within the answer is no answer, after what had arrived")
  func reset() async throws {
    let read = Gate()
    try await TestServer.with { exchange in
      try await exchange.begin()
      try await exchange.write("one")
      if exchange.uri == "/stream" { await read.wait() }
      try await exchange.reset()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let whole = await Self.error { _ = try await transport.send(APIRequest(.get, "/whole", label: Self.label)) }
      #expect(whole?.kind == .noAnswer)
      let seen = Mutex("")
      let streamed = await Self.error {
        let stream = try await transport.stream(APIRequest(.get, "/stream", label: Self.label))
        for try await piece in stream.body {
          seen.withLock { $0 += String(decoding: piece, as: UTF8.self) }
          read.open()
        }
      }
      #expect(streamed?.kind == .noAnswer)
      #expect(seen.withLock { $0 } == "one")
    }
  }

  @Test("a refused connection means that nothing was sent")
  func refused() async throws {
    // The port is taken, so nobody else gets it, but nobody listens.
    let port = try UnusedPort()
    let address = "http://127.0.0.1:\(port.number)"
    let transport = try Self.transport(to: address)
    let error = await Self.error { _ = try await transport.send(APIRequest(.post, "/", label: Self.label)) }
    #expect(error?.kind == .notSent)
    #expect(error?.description.hasPrefix("\(address): Failed to connect") == true)
  }

  @Test("a request, and the head of a stream, that get no answer in time say so", arguments: [true, false])
  func timeout(isStream: Bool) async throws {
    try await TestServer.with { exchange in
      try? await exchange.waitForClose()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let request = APIRequest(.get, "/", timeout: .milliseconds(100), label: Self.label)
      let error = await Self.error {
        if isStream { _ = try await transport.stream(request) } else { _ = try await transport.send(request) }
      }
      #expect(error?.kind == .timedOut)
    }
  }

  @Test("a write is sent once, even when a reused connection dies before the answer")
  func noHiddenRepetition() async throws {
    try await TestServer.with { exchange in
      guard exchange.method == "GET" else { return try await exchange.reset() }
      try await exchange.answer()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      _ = try await transport.send(APIRequest(.get, "/", label: Self.label))
      let error = await Self.error {
        _ = try await transport.send(APIRequest(.post, "/", body: Data("{}".utf8), label: Self.label))
      }
      #expect(error?.kind == .noAnswer)
      #expect(server.requests == ["GET /", "POST /"])
    }
  }

  @Test("an answer of more than 64 MiB is refused")
  func tooLarge() async throws {
    try await TestServer.with { exchange in
      try await exchange.begin()
      let piece = String(repeating: "x", count: 1 << 20)
      for _ in 0..<65 { try await exchange.write(piece) }
      try await exchange.end()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let error = await Self.error { _ = try await transport.send(APIRequest(.get, "/", label: Self.label)) }
      #expect(error?.description == "\(server.address): the answer is too large")
    }
  }

  @Test("closing the transport ends what is under way and refuses what comes after")
  func closing() async throws {
    let arrived = Gate()
    try await TestServer.with { exchange in
      arrived.open()
      try? await exchange.waitForClose()
    } body: { server in
      let transport = try Self.transport(to: server.address)
      let task = Task { try await transport.send(APIRequest(.get, "/", label: Self.label)) }
      await arrived.wait()
      transport.close()
      transport.close()
      await #expect(throws: TransportError.self) { _ = try await task.value }
      let later = await Self.error { _ = try await transport.send(APIRequest(.get, "/", label: Self.label)) }
      #expect(later?.kind == .notSent)
    }
  }

  @Test("a refused token is read again and the request repeated, once")
  func tokenRotation() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("token", "old\n")
    try await TestServer.with { exchange in
      let isGood = exchange.header("authorization") == "Bearer new"
      try await exchange.answer(isGood ? 200 : 401)
    } body: { server in
      let transport = try Self.transport(
        to: server.address,
        credentials: TokenFile(path: path, time: ManualTime())
      )
      let request = APIRequest(.get, "/", label: Self.label)
      #expect(try await transport.send(request).statusCode == 401)
      #expect(server.requests.count == 1)
      try folder.write("token", "new\n")
      #expect(try await transport.send(request).statusCode == 200)
      #expect(server.requests.count == 3)
    }
  }
}

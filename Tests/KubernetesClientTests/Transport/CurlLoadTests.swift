import FoundationEssentials
import Synchronization
import Testing

@testable import KubernetesClient

@Suite("Many and large answers over libcurl", .timeLimit(.minutes(5)))
struct CurlLoadTests {
  /// A request with all the time it may need on a machine that is busy with other tests.
  private static func request(_ number: Int) -> APIRequest {
    APIRequest(.get, "/\(number)", timeout: .seconds(300), label: CurlTransportTests.label)
  }

  @Test("of 5,000 requests in a row each gets its own answer, over one connection")
  func sequential() async throws {
    try await TestServer.with { exchange in
      try await exchange.answer(200, exchange.uri)
    } body: { server in
      let transport = try CurlTransportTests.transport(to: server.address)
      for number in 0..<5000 {
        let body = try await transport.send(Self.request(number)).body
        guard String(decoding: body, as: UTF8.self) == "/\(number)" else {
          Issue.record("the answer to \(number) is another one's")
          return
        }
      }
      #expect(server.connections == 1)
    }
  }

  @Test("of 500 requests at once each gets its own answer, over a bounded number of connections")
  func concurrent() async throws {
    try await TestServer.with { exchange in
      try await exchange.answer(200, exchange.uri)
    } body: { server in
      let transport = try CurlTransportTests.transport(to: server.address)
      let answered = try await withThrowingTaskGroup(of: (Int, String).self) { group in
        for number in 0..<500 {
          group.addTask {
            (number, String(decoding: try await transport.send(Self.request(number)).body, as: UTF8.self))
          }
        }
        return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
      }
      #expect(answered == Dictionary(uniqueKeysWithValues: (0..<500).map { ($0, "/\($0)") }))
      #expect(server.connections <= 64)
    }
  }

  @Test("requests cancelled at random leave the others' answers whole")
  func cancelledAtRandom() async throws {
    try await TestServer.with { exchange in
      try await exchange.begin()
      for _ in 0..<20 { try await exchange.write(exchange.uri + "\n") }
      try await exchange.end()
    } body: { server in
      let transport = try CurlTransportTests.transport(to: server.address)
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<600 {
          group.addTask {
            let task = Task { try await transport.send(Self.request(number)) }
            if number % 3 == 0 {
              for _ in 0..<Int.random(in: 0..<200) { await Task.yield() }
              task.cancel()
            }
            switch await task.result {
            case .success(let response):
              let line = "/\(number)\n"
              #expect(response.body == Data(String(repeating: line, count: 20).utf8))
            case .failure(let error):
              #expect(error is CancellationError && number % 3 == 0)
            }
          }
        }
      }
    }
  }

  @Test("a server has to wait for a reader that does not read, and nothing is lost")
  func backPressure() async throws {
    let written = Atomic(0)
    let pieces = 256
    let size = 1 << 20
    try await TestServer.with { exchange in
      try await exchange.begin()
      let piece = String(repeating: "x", count: size)
      for _ in 0..<pieces {
        try await exchange.write(piece)
        written.add(1, ordering: .relaxed)
      }
      try await exchange.end()
    } body: { server in
      let transport = try CurlTransportTests.transport(to: server.address)
      let stream = try await transport.stream(APIRequest(.get, "/", label: CurlTransportTests.label))
      // Until the server has come to a standstill; what it could write then sits in the kernel's buffers.
      var before = -1
      while written.load(ordering: .relaxed) != before {
        before = written.load(ordering: .relaxed)
        try await Task.sleep(for: .milliseconds(300))
      }
      #expect(before < pieces / 2)
      var received = 0
      for try await piece in stream.body { received += piece.count }
      #expect(received == pieces * size)
    }
  }
}

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import NIOCore
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

@testable import StandaloneAPI

@Suite("The API over HTTP", .timeLimit(.minutes(5)))
struct FrontTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func status(_ answer: String) -> String {
    answer.split(separator: " ").dropFirst().first.map(String.init) ?? ""
  }

  @Test("over the socket nobody is asked for a token; over TCP everybody is, but by probes and for the version")
  func token() async throws {
    try await RunningFront.with(Echo(), in: folder) { front in
      #expect(try await status(front.get("/api", headers: "", overSocket: true)) == "200")
      for path in ["/livez", "/readyz", "/healthz", "/version"] {
        #expect(try await status(front.get(path, headers: "")) == "200")
      }
      let right = RunningFront.token.value
      let wrong = right.replacing("f", with: "e")
      let basic = Data("anyone:\(right)".utf8).base64EncodedString()
      for (header, code) in [
        ("", "401"), ("authorization: Bearer \(wrong)\r\n", "401"), ("authorization: Bearer \(right)0\r\n", "401"),
        ("authorization: Basic \(Data("anyone:\(wrong)".utf8).base64EncodedString())\r\n", "401"),
        ("authorization: \(right)\r\n", "401"), ("authorization: Bearer \(right)\r\n", "200"),
        ("authorization: bearer \(right)\r\n", "200"), ("authorization: Basic \(basic)\r\n", "200"),
      ] {
        #expect(try await status(front.get("/api", headers: header)) == code, "\(header)")
      }
      let refused = try await front.get("/api", headers: "")
      #expect(refused.contains(#""kind":"Status""#) && refused.contains("Unauthorized"))
    }
  }

  @Test(
    "only names of this machine's loopback interface are answered to",
    arguments: [
      ("127.0.0.1:1234", "200"), ("localhost:1234", "200"), ("LOCALHOST", "200"), ("[::1]:1234", "200"),
      ("127.8.9.1", "200"), ("evil.example.com", "403"), ("127.0.0.1.evil.example.com:1234", "403"),
      ("10.0.0.1", "403"), ("", "403"),
    ])
  func host(name: String, code: String) async throws {
    try await RunningFront.with(Echo(), in: folder) { front in
      for path in ["/api", "/livez"] {
        let answer = try await front.get(path, host: name)
        #expect(status(answer) == code, "\(path)")
      }
    }
  }

  @Test("web pages are not answered")
  func origin() async throws {
    try await RunningFront.with(Echo(), in: folder) { front in
      let headers = "origin: http://127.0.0.1\r\nauthorization: Bearer \(RunningFront.token.value)\r\n"
      let answer = try await front.get("/api", headers: headers)
      #expect(status(answer) == "403")
    }
  }

  @Test("method, path, query, types and body arrive as they were meant")
  func request() async throws {
    try await RunningFront.with(Echo(), in: folder) { front in
      let answer = try await front.exchange(
        "PATCH /api/v1/a%20b?labelSelector=a+in+%28b%2Cc%29&x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
          + "content-type: application/merge-patch+json; charset=utf-8\r\naccept: a/b\r\naccept: c/d\r\n"
          + "content-length: 2\r\n\r\n{}", overSocket: true)
      #expect(
        answer.hasSuffix(
          "PATCH|/api/v1/a b|labelSelector=a in (b,c)&x=|application/merge-patch+json|a/b,c/d|{}"))
    }
  }

  @Test("a connection carries many requests, and HEAD gets no body")
  func keepAlive() async throws {
    try await RunningFront.with(Echo(), in: folder) { front in
      let answer = try await front.exchange(
        "HEAD /one HTTP/1.1\r\nhost: a\r\n\r\nGET /two HTTP/1.1\r\nhost: a\r\n\r\n"
          + "GET /three HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", overSocket: true)
      #expect(answer.split(separator: "HTTP/1.1 200").count == 3)
      #expect(!answer.contains("GET|/one"))
      #expect(answer.contains("GET|/two") && answer.contains("GET|/three"))
    }
  }

  @Test("what is no request, or too large, is refused", .timeLimit(.minutes(1)))
  func broken() async throws {
    var limits = FrontConnection.Limits()
    limits.body = 1000
    try await RunningFront.with(Echo(), in: folder, limits: limits) { front in
      func code(_ text: String) async throws -> String { status(try await front.exchange(text, overSocket: true)) }
      #expect(try await code("nonsense\r\n\r\n") == "400")
      #expect(try await code("GET /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") == "400")
      #expect(try await code("OPTIONS /api HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") == "405")
      #expect(try await code("GET /api HTTP/1.0\r\n\r\n") == "505")
      let large = String(repeating: "x", count: 1001)
      #expect(try await code("POST /api HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n\(large)") == "413")
      let header = String(repeating: "x", count: 1 << 20)
      let refused = try await code("GET /api HTTP/1.1\r\nhost: a\r\nx: \(header)\r\n\r\n")
      #expect(refused == "" || refused.hasPrefix("4"))
      #expect(try await code("GET /fails HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") == "503")
    }
  }

  @Test(
    "who sends a request too slowly is hung up on, and so is who sends none", arguments: ["", "GET /api HTTP/1.1\r\n"])
  func slow(beginning: String) async throws {
    let time = ManualTime()
    try await RunningFront.with(Echo(), in: folder, time: time) { front in
      let answer = Task { try await front.exchange(beginning, overSocket: true) }
      try await time.untilSleepers()
      time.advance(by: .seconds(301))
      #expect(try await answer.value == "")
    }
  }

  @Test("a stream ends for its source when the client goes, though it has nothing more to say")
  func clientGoes() async throws {
    let transport = Endless()
    try await RunningFront.with(transport, in: folder) { front in
      try await front.withConnection(overSocket: true) { inbound, outbound in
        try await outbound.write(ByteBuffer(string: "GET /api?watch=true HTTP/1.1\r\nhost: a\r\n\r\n"))
        for try await piece in inbound where String(buffer: piece).contains("first") { break }
        #expect(!transport.isLeft.isRaised)
      }
      try await transport.isLeft.wait()
    }
  }

  @Test("a client by the kubeconfig gets lists and watches, and nothing it says has the token in it")
  func client() async throws {
    let server = try Server(in: folder)
    try await RunningFront.with(server.api, in: folder) { front in
      let file = folder.path + "/kubeconfig"
      let address = try #require(try LoopbackAddress("127.0.0.1:0"))
      try KubeconfigFile(path: file).write(
        address: address, port: front.port, token: RunningFront.token, namespace: "default")
      let configuration = try ClientConfiguration.load(kubeconfig: file, environment: [:])
      #expect(configuration.namespace == "default")
      let client = try configuration.client(userAgent: "tests")
      let version = try await client.list(ConfigMap.self).resourceVersion
      let stream = try await client.watch(
        ConfigMap.self, namespace: nil, labels: nil, fields: nil, from: version, timeout: .seconds(60))
      let created = try await client.create(server.map("one"))
      #expect(await stream.first { _ in true } == .added(created))
      let texts = ["\(configuration)", "\(configuration.connection)", String(reflecting: configuration.credentials)]
      #expect(texts.prefix(2).allSatisfy { !$0.contains(RunningFront.token.value) })
    }
  }
}

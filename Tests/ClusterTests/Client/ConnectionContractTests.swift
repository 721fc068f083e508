import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

/// Standalone speaks HTTP/1.1 without TLS on this machine only, and knows one user.
@Suite("Connections to a real API server", .enabled(if: Cluster.isReal), .timeLimit(.minutes(5)))
struct ConnectionContractTests {
  private func port(of configuration: ClientConfiguration) throws -> Int {
    try #require(configuration.connection.authority.split(separator: ":").last.flatMap { Int($0) })
  }

  /// Runs `body` with a client whose connections go through a relay.
  private func withRelay(_ body: (Relay, CurlTransport) async throws -> Void) async throws {
    var configuration = try Cluster.configuration()
    try await Relay.with(to: try port(of: configuration)) { relay in
      configuration.connection.server = "https://127.0.0.1:\(relay.port)"
      try await body(relay, try configuration.transport(userAgent: "bucket-sync-tests"))
    }
  }

  private func watch(_ client: KubernetesClient) async throws -> WatchStream<ConfigMap> {
    let version = try await client.list(ConfigMap.self).resourceVersion
    return try await client.watch(
      ConfigMap.self,
      namespace: nil,
      labels: "none=such",
      fields: nil,
      from: version,
      timeout: .seconds(600)
    )
  }

  @Test("watches and many requests at once share one connection")
  func oneConnection() async throws {
    try await withRelay { relay, transport in
      let client = KubernetesClient(transport: transport, time: SystemTime())
      var watches: [WatchStream<ConfigMap>] = []
      for _ in 0..<4 { watches.append(try await watch(client)) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<200 { group.addTask { _ = try await client.get(path: "/version") } }
        try await group.waitForAll()
      }
      #expect(relay.connections == 1)
      withExtendedLifetime(watches) {}
    }
  }

  @Test("even the first requests, made at the same time, share one connection")
  func oneConnectionFromTheStart() async throws {
    try await withRelay { relay, transport in
      let client = KubernetesClient(transport: transport, time: SystemTime())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<50 { group.addTask { _ = try await client.get(path: "/version") } }
        try await group.waitForAll()
      }
      #expect(relay.connections == 1)
    }
  }

  @Test("a request that gets no answer on a silent connection ends the watches on it, and the next one succeeds")
  func silence() async throws {
    try await withRelay { relay, transport in
      let client = KubernetesClient(transport: transport, time: SystemTime())
      let stream = try await watch(client)
      relay.fallSilent()
      let request = APIRequest(
        .get,
        "/version",
        timeout: .milliseconds(500),
        label: .init(verb: "get", resource: "discovery")
      )
      let error = await #expect(throws: TransportError.self) { _ = try await transport.send(request) }
      #expect(error?.kind == .timedOut)
      guard case .failed(.unreachable) = await stream.first(where: { _ in true }) else {
        Issue.record("the watch went on")
        return
      }
      _ = try await client.get(path: "/version")
      #expect(relay.connections >= 2)
    }
  }

  @Test("without the client certificate we are nobody")
  func anonymous() async throws {
    var configuration = try Cluster.configuration()
    configuration.credentials = FixedCredential(.none)
    let client = try configuration.client(userAgent: "bucket-sync-tests")
    let error = await #expect(throws: APIError.self) { try await client.list(ConfigMap.self) }
    #expect(error?.isForbidden == true)
    #expect(error.map { "\($0)".contains("system:anonymous") } == true)
  }

  @Test("the service account of a pod is who it is, and a token that is no longer good is unauthorized")
  func serviceAccount() async throws {
    try await Cluster.withNamespace { client, namespace in
      let admin = try Cluster.configuration()
      let request = APIRequest(
        .post,
        "/api/v1/namespaces/\(namespace)/serviceaccounts/default/token",
        body: Data("{}".utf8),
        contentType: "application/json",
        label: .init(verb: "create", resource: "tokens")
      )
      let transport = try admin.transport(userAgent: "bucket-sync-tests")
      var answer = try await transport.send(request)
      // The account is made a moment after its namespace.
      while answer.statusCode == 404 {
        try await Task.sleep(for: .milliseconds(50))
        answer = try await transport.send(request)
      }
      let token = try #require(try JSON.decode(JSONValue.self, from: answer.body)["status"]["token"].string)

      let folder = FileManager.default.temporaryDirectory.appending(path: namespace)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      try Data(token.utf8).write(to: folder.appending(path: "token"))
      try admin.connection.certificateAuthority?.write(to: folder.appending(path: "ca.crt"))
      let pod = try ClientConfiguration.load(
        kubeconfig: nil,
        environment: ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "\(try port(of: admin))"],
        serviceAccount: folder.path
      )
      let forbidden = await #expect(throws: APIError.self) {
        try await pod.client(userAgent: "bucket-sync-tests").list(ConfigMap.self, namespace: namespace)
      }
      #expect(forbidden?.isForbidden == true)
      #expect(forbidden.map { "\($0)".contains("system:serviceaccount:\(namespace):default") } == true)

      try Data("no token".utf8).write(to: folder.appending(path: "token"))
      let unauthorized = await #expect(throws: APIError.self) {
        try await pod.client(userAgent: "bucket-sync-tests").list(ConfigMap.self, namespace: namespace)
      }
      #expect(unauthorized?.isForbidden == true || unauthorized?.isUnauthorized == true)
    }
  }

  @Test("the server's certificate is checked against the name that is asked for, and against our authority only")
  func certificateChecks() async throws {
    var configuration = try Cluster.configuration()
    configuration.connection.tlsServerName = "kubernetes.default.svc"
    _ = try await configuration.client(userAgent: "bucket-sync-tests").get(path: "/version")

    configuration.connection.tlsServerName = "other.example.com"
    let transport = try configuration.transport(userAgent: "bucket-sync-tests")
    let request = APIRequest(.get, "/version", label: .init(verb: "get", resource: "discovery"))
    let misnamed = await #expect(throws: TransportError.self) { _ = try await transport.send(request) }
    #expect(misnamed?.kind == .notSent)

    configuration.connection.tlsServerName = nil
    configuration.connection.certificateAuthority = nil
    let distrusting = try configuration.transport(userAgent: "bucket-sync-tests")
    let untrusted = await #expect(throws: TransportError.self) { _ = try await distrusting.send(request) }
    #expect(untrusted?.kind == .notSent)
    #expect(untrusted?.description.contains("certificate") == true)

    configuration.connection.skipsVerification = true
    #expect(try await configuration.transport(userAgent: "bucket-sync-tests").send(request).statusCode == 200)
  }
}

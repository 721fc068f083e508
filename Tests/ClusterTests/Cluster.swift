// The server that these tests run on, a real cluster or standalone, and what they need there. The same tests run on both:
// where a body asks which one it is, docs/standalone.md tells of the difference.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

/// The server that KUBECONFIG names.
enum Cluster {
  /// Whether the tests may use a cluster at all.
  static let isEnabled = environment["BUCKET_SYNC_CLUSTER"] == "1"

  /// Whether it is the server of the standalone mode, started by Tests/with-standalone-api: no kubelet, no scheduler, no
  /// service accounts, no TLS.
  static let isStandalone = environment["BUCKET_SYNC_SERVER"] == "standalone"

  /// Whether it is a real cluster.
  static let isReal = isEnabled && !isStandalone

  static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The configuration of the kubeconfig.
  static func configuration() throws -> ClientConfiguration {
    try ClientConfiguration.load(kubeconfig: environment["KUBECONFIG"], environment: environment)
  }

  /// A client as the kubeconfig's user, over a connection of its own.
  static func client() throws -> KubernetesClient {
    try configuration().client(userAgent: "bucket-sync-tests")
  }

  /// Makes the testbed's etcd, or standalone's database, forget what was before `revision`.
  static func compact(to revision: String) async throws {
    guard !isStandalone else {
      let request = APIRequest(
        .post, "/lab/compact", query: [.init("revision", revision)], label: .init(verb: "compact", resource: "lab"))
      let answer = try await configuration().transport(userAgent: "bucket-sync-tests").send(request)
      try #require(answer.statusCode == 200)
      return
    }
    let pid = try #require(environment["ETCD_PID"])
    let command = try String(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"), encoding: .utf8)
    let arguments = command.split(separator: "\0")
    let flag = try #require(arguments.firstIndex(of: "--listen-client-urls"))
    let etcd = try CurlTransport(
      connection: ConnectionSettings(server: String(arguments[flag + 1])),
      credentials: FixedCredential(.none),
      userAgent: "bucket-sync-tests"
    )
    let request = APIRequest(
      .post,
      "/v3/kv/compaction",
      body: Data(#"{"revision":"\#(revision)"}"#.utf8),
      label: .init(verb: "compact", resource: "etcd")
    )
    let answer = try await etcd.send(request)
    try #require(answer.statusCode == 200, "\(String(decoding: answer.body, as: UTF8.self))")
  }

  /// Runs `body` with a client and a namespace of its own, which is deleted afterwards.
  static func withNamespace<Result>(
    _ body: (_ client: KubernetesClient, _ namespace: String) async throws -> Result
  ) async throws -> Result {
    let client = try client()
    let key = ObjectKey(namespace: nil, name: "test-\(UInt64.random(in: 0..<UInt64.max))")
    _ = try await client.create(Namespace(metadata: ObjectMeta(name: key.name)))
    let result: Result
    do {
      result = try await body(client, key.name)
    } catch {
      try await delete(key, client)
      throw error
    }
    try await delete(key, client)
    return result
  }

  /// The test itself may have deleted its namespace.
  private static func delete(_ namespace: ObjectKey, _ client: KubernetesClient) async throws {
    do {
      try await client.delete(Namespace.self, namespace)
    } catch {
      guard error.isNotFound else { throw error }
    }
  }

  /// Pods need their namespace's service account, which is made a moment after it; standalone has none.
  static func waitForServiceAccount(_ client: KubernetesClient, _ namespace: String) async throws {
    guard !isStandalone else { return }
    let path = "/api/v1/namespaces/\(namespace)/serviceaccounts"
    while try await client.get(path: path)["items"].array?.isEmpty ?? true {
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Sends a request as it is, for what the client has no verb for.
  static func raw(
    _ method: APIRequest.Method, _ path: String, query: [APIRequest.QueryItem] = [], body: JSONValue? = nil,
    contentType: String = "application/json", accept: String? = nil
  ) async throws -> (code: Int, body: JSONValue) {
    var request = APIRequest(method, path, query: query, label: .init(verb: "raw", resource: "raw"))
    request.accept = accept
    if let body {
      request.body = try JSON.encode(body)
      request.contentType = contentType
    }
    let answer = try await configuration().transport(userAgent: "bucket-sync-tests").send(request)
    // Where nothing is served, real servers answer with plain text.
    let body = try? JSON.decode(JSONValue.self, from: answer.body)
    return (answer.statusCode, body ?? .string(String(decoding: answer.body, as: UTF8.self)))
  }
}

/// `v1 Namespace`, as far as tests need it.
struct Namespace: KubernetesObject {
  static let resource = ResourceType(
    group: "",
    version: "v1",
    kind: "Namespace",
    plural: "namespaces",
    isNamespaced: false
  )

  var metadata: ObjectMeta
}

// The real cluster that these tests run on, and what they need there.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

/// The cluster that KUBECONFIG names.
enum Cluster {
  /// Whether the tests may use a cluster at all.
  static let isEnabled = environment["BUCKET_SYNC_CLUSTER"] == "1"

  static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// The configuration of the kubeconfig.
  static func configuration() throws -> ClientConfiguration {
    try ClientConfiguration.load(kubeconfig: environment["KUBECONFIG"], environment: environment)
  }

  /// A client as the kubeconfig's user, over a connection of its own.
  static func client() throws -> KubernetesClient {
    try configuration().client(userAgent: "bucket-sync-tests")
  }

  /// Makes the testbed's etcd forget what was before `revision`.
  static func compact(to revision: String) async throws {
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
    do {
      let result = try await body(client, key.name)
      try await client.delete(Namespace.self, key)
      return result
    } catch {
      try await client.delete(Namespace.self, key)
      throw error
    }
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

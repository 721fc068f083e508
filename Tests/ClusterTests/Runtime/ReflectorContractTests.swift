import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Reflector on a real API server", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct ReflectorContractTests {
  let store = ObjectStore<ConfigMap>()
  let metrics = MetricsRegistry()

  /// Without what the cluster itself puts into each namespace.
  var names: [String] { store.all.map(\.metadata.name).filter { $0 != "kube-root-ca.crt" } }

  /// Runs a reflector of `store` over `transport` beside `body`.
  func withReflector(
    over transport: any APITransport, namespace: String, labels: String? = nil, _ body: () async throws -> Void
  ) async throws {
    try await withReflector(of: store, over: transport, namespace: namespace, labels: labels, body)
  }

  private func withReflector<Object: KubernetesObject>(
    of store: ObjectStore<Object>, over transport: any APITransport, namespace: String, labels: String? = nil,
    _ body: () async throws -> Void
  ) async throws {
    let time = SystemTime()
    let reflector = Reflector(
      client: KubernetesClient(transport: transport, time: time),
      store: store,
      namespace: namespace,
      labels: labels,
      time: time,
      random: .system,
      logger: .silent,
      metrics: metrics
    )
    try await withThrowingTaskGroup { group in
      group.addTask { try await reflector.run() }
      try await store.waitUntilSynced()
      try await body()
      group.cancelAll()
    }
  }

  func transport() throws -> any APITransport { try Cluster.configuration().transport(userAgent: "bucket-sync-tests") }

  @Test("what is there and what comes, changes and goes is in the store")
  func followsServer() async throws {
    try await Cluster.withNamespace { client, namespace in
      _ = try await client.create(ConfigMap(metadata: ObjectMeta(name: "a", namespace: namespace)))
      try await withReflector(over: transport(), namespace: namespace) {
        #expect(names == ["a"])
        let map = try await client.create(ConfigMap(metadata: ObjectMeta(name: "b", namespace: namespace)))
        try await eventually { names == ["a", "b"] }
        _ = try await client.patch(ConfigMap.self, map.key, .merge(["data": ["x": "1"]]))
        try await eventually { store[map.key]?.data == ["x": "1"] }
        try await client.delete(ConfigMap.self, ObjectKey(namespace: namespace, name: "a"))
        try await eventually { names == ["b"] }
      }
    }
  }

  @Test("the answers to our own writes and the watch agree, in whichever order they come")
  func ownWrites() async throws {
    try await Cluster.withNamespace { client, namespace in
      try await withReflector(over: transport(), namespace: namespace) {
        for round in 0..<30 {
          let map = ConfigMap(metadata: ObjectMeta(name: "map-\(round)", namespace: namespace))
          let created = try await client.create(map)
          store.record(created)
          #expect(store[map.key] != nil)
          let changed = try await client.patch(ConfigMap.self, map.key, .merge(["data": ["x": "1"]]))
          store.record(changed)
          #expect(store[map.key]?.data == ["x": "1"])
          try await client.delete(ConfigMap.self, map.key)
        }
        try await eventually { names.isEmpty }
      }
    }
  }

  @Test("an object that the selector fits no more leaves the store, also after a write of our own")
  func selector() async throws {
    try await Cluster.withNamespace { client, namespace in
      let meta = ObjectMeta(name: "a", namespace: namespace, labels: ["app": "sync"])
      let map = try await client.create(ConfigMap(metadata: meta))
      try await withReflector(over: transport(), namespace: namespace, labels: "app=sync") {
        #expect(names == ["a"])
        let change: Patch = .merge(["metadata": ["labels": ["app": "other"]]])
        store.record(try await client.patch(ConfigMap.self, map.key, change))
        try await eventually { names.isEmpty }
      }
    }
  }

  /// Of a custom resource, because what a new server remembers of those begins when they were defined; of ConfigMaps it
  /// may remember all there ever was.
  @Test("a server that does not know a version any more is asked for a new list")
  func expired() async throws {
    try await CustomResources.install()
    try await Cluster.withNamespace { client, namespace in
      if Cluster.isStandalone {
        try await Cluster.compact(to: try await client.list(BucketSync.self, namespace: namespace).resourceVersion)
      }
      let runs = ObjectStore<BucketSync>()
      @Sendable func count(_ name: String) -> Double {
        metrics.counter(name, "", labels: ["resource": "bucketsyncs"]).value
      }
      try await withReflector(of: runs, over: WatchFromLongAgo(try transport()), namespace: namespace) {
        try await eventually { count("reflector_lists_total") >= 2 && count("reflector_watches_total") >= 2 }
        let spec = BucketSync.Spec(source: "a", destination: "b")
        _ = try await client.create(BucketSync(metadata: ObjectMeta(name: "a", namespace: namespace), spec: spec))
        try await eventually { runs.all.map(\.metadata.name) == ["a"] }
      }
    }
  }
}

/// Lets the first watch begin at the beginning of time, which no server remembers.
private final class WatchFromLongAgo: APITransport {
  private let transport: any APITransport
  private let isFirst = Mutex(true)

  init(_ transport: any APITransport) { self.transport = transport }

  func send(_ request: APIRequest) async throws -> APIResponse { try await transport.send(request) }

  func stream(_ request: APIRequest) async throws -> APIStream {
    guard isFirst.withLock({ $0 }) else { return try await transport.stream(request) }
    isFirst.withLock { $0 = false }
    var request = request
    for index in request.query.indices where request.query[index].name == "resourceVersion" {
      request.query[index].value = "1"
    }
    return try await transport.stream(request)
  }
}

extension Logger {
  /// A logger that nobody reads.
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

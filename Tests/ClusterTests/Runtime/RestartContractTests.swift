import KubernetesClient
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

/// These disturb whatever else runs on the cluster, so they run alone:
/// `BUCKET_SYNC_DISTURB=1 swift test --filter RestartContractTests`.
@Suite("Restarts of a real API server", .enabled(if: Testbed.mayBeDisturbed), .serialized, .timeLimit(.minutes(5)))
struct RestartContractTests {
  @Test("a reflector survives a restart of the API server, and sees what changes afterwards")
  func reflector() async throws {
    let store = ObjectStore<ConfigMap>()
    let time = SystemTime()
    try await Cluster.withNamespace { client, namespace in
      let map = try await client.create(ConfigMap(metadata: ObjectMeta(name: "a", namespace: namespace)))
      let reflector = Reflector(
        client: client,
        store: store,
        namespace: namespace,
        time: time,
        random: .system,
        logger: .silent,
        metrics: MetricsRegistry()
      )
      try await withThrowingTaskGroup { group in
        group.addTask { try await reflector.run() }
        try await store.waitUntilSynced()
        try await Testbed.restart("apiserver")
        try await eventually(within: 120) {
          (try? await client.patch(ConfigMap.self, map.key, .merge(["data": ["x": "1"]]))) != nil
        }
        try await eventually(within: 120) { store[map.key]?.data == ["x": "1"] }
        group.cancelAll()
      }
    }
  }
}

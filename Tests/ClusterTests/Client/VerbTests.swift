import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

@Suite("The client on a real API server", .enabled(if: Cluster.isEnabled))
struct VerbTests {
  @Test("what was created can be read, changed and deleted")
  func lifecycle() async throws {
    try await Cluster.withNamespace { client, namespace in
      let key = ObjectKey(namespace: namespace, name: "map")
      let created = try await client.create(
        ConfigMap(metadata: ObjectMeta(name: "map", namespace: namespace), data: ["a": "1"])
      )
      #expect(created.metadata.uid != nil)
      var map = try await client.get(ConfigMap.self, key)
      #expect(map == created)
      map.data = ["a": "2"]
      #expect(try await client.update(map).data == ["a": "2"])
      let patched = try await client.patch(ConfigMap.self, key, .merge(["data": ["a": nil, "b": "3"]]))
      #expect(patched.data == ["b": "3"])
      try await client.delete(ConfigMap.self, key)
      let error = await #expect(throws: APIError.self) { try await client.get(ConfigMap.self, key) }
      #expect(error?.isNotFound == true)
    }
  }
}

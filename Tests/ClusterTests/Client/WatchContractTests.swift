import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("Watches on a real API server", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct WatchContractTests {
  private func watch(
    _ client: KubernetesClient,
    _ namespace: String?,
    from version: String,
    timeout: Duration
  ) async throws -> WatchStream<ConfigMap> {
    try await client.watch(
      ConfigMap.self,
      namespace: namespace,
      labels: "watched=yes",
      fields: nil,
      from: version,
      timeout: timeout
    )
  }

  @Test("a watch tells of changes since a list, with bookmarks, and ends in good order")
  func events() async throws {
    try await Cluster.withNamespace { client, namespace in
      let version = try await client.list(ConfigMap.self, namespace: namespace).resourceVersion
      let stream = try await watch(client, namespace, from: version, timeout: .seconds(15))
      let object = ConfigMap(metadata: ObjectMeta(name: "one", namespace: namespace, labels: ["watched": "yes"]))
      let created = try await client.create(object)
      let changed = try await client.patch(ConfigMap.self, object.key, .merge(["data": ["a": "1"]]))
      try await client.delete(ConfigMap.self, object.key)
      var all: [WatchEvent<ConfigMap>] = []
      for await event in stream { all.append(event) }
      #expect(all.prefix(2) == [.added(created), .modified(changed)])
      guard all.count > 3, case .deleted(let last) = all[2], case .bookmark(let latest) = all[3] else {
        Issue.record("no deletion followed by a bookmark: \(all)")
        return
      }
      #expect(last.data == ["a": "1"])
      let deletedAt = ResourceVersion(last.metadata.resourceVersion ?? "")
      #expect(!ResourceVersion(latest).isOlder(than: deletedAt))
      #expect(!all.contains { if case .failed = $0 { true } else { false } })
    }
  }

  @Test("a watch from a version that etcd has forgotten is told to list again")
  func expired() async throws {
    try await Cluster.withNamespace { client, namespace in
      let old = try await client.list(Event.self, namespace: namespace).resourceVersion
      let object = try await client.create(ConfigMap(metadata: ObjectMeta(name: "one", namespace: namespace)))
      try await Cluster.compact(to: try #require(object.metadata.resourceVersion))
      // Events are watched in etcd itself, everything else in the API server's cache, which remembers for longer.
      let stream = try await client.watch(
        Event.self,
        namespace: namespace,
        labels: nil,
        fields: nil,
        from: old,
        timeout: .seconds(5)
      )
      guard case .failed(let error) = await stream.first(where: { _ in true }) else {
        Issue.record("the watch did not fail")
        return
      }
      #expect(error.isExpired)
      #expect(error.reason == "Expired")
    }
  }

  @Test("a cancelled watch ends as cancelled")
  func cancelled() async throws {
    let client = try Cluster.client()
    let version = try await client.list(ConfigMap.self).resourceVersion
    let stream = try await watch(client, nil, from: version, timeout: .seconds(600))
    let reader = Task { await stream.reduce(into: []) { $0.append($1) } }
    reader.cancel()
    // Other tests may have made ConfigMaps meanwhile.
    #expect(await reader.value.last == .failed(.cancelled))
  }
}

/// `v1 Event`, as far as a watch needs it.
private struct Event: KubernetesObject {
  static let resource = ResourceType(group: "", version: "v1", kind: "Event", plural: "events")

  var metadata: ObjectMeta
}

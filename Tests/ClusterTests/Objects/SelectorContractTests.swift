import KubernetesModel
import Testing

@testable import KubernetesClient

/// Which objects selectors choose, in lists and in watches.
@Suite("Selectors", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct SelectorContractTests {
  @Test("labels are compared, looked up and excluded")
  func labels() async throws {
    try await Cluster.withNamespace { client, namespace in
      for (name, labels) in [
        ("a", ["test": "x", "tier": "web"]), ("b", ["test": "x", "tier": "db"]), ("c", ["test": "x"]),
      ] {
        let manifest: JSONValue = ["metadata": ["name": .string(name), "labels": JSONValue(labels)]]
        _ = try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
      }
      for (selector, names) in [
        ("test=x", ["a", "b", "c"]), ("test=x,tier==web", ["a"]), ("test=x,tier!=web", ["b", "c"]),
        ("tier in (web, db)", ["a", "b"]), ("test=x,tier notin (web)", ["b", "c"]), ("tier", ["a", "b"]),
        ("test,!tier", ["c"]), ("tier in (none)", []), ("test=x, tier in (db),tier!=web", ["b"]),
      ] {
        let found = try await client.list(ConfigMap.resource, namespace: namespace, labels: selector).items
        #expect(found.compactMap(\.["metadata"]["name"].string) == names, "\(selector)")
      }
      let path = ConfigMap.resource.path(namespace: namespace)
      #expect(try await Cluster.raw(.get, path, query: [.init("labelSelector", "a b c")]).code == 400)
    }
  }

  @Test("fields are compared, as far as a type knows them")
  func fields() async throws {
    try await Cluster.withNamespace { client, namespace in
      let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
      let events = ResourceType(group: "", version: "v1", kind: "Event", plural: "events")
      for (name, type) in [("a", "tests.example.com/a"), ("b", "tests.example.com/b")] {
        let secret: JSONValue = ["metadata": ["name": .string(name)], "type": .string(type)]
        _ = try await client.create(secret, of: secrets, namespace: namespace)
        let event: JSONValue = [
          "metadata": ["name": .string(name)], "reason": .string(name.uppercased()), "message": "m", "type": "Normal",
          "involvedObject": [
            "kind": "ConfigMap", "apiVersion": "v1", "name": .string(name), "namespace": .string(namespace),
          ],
        ]
        _ = try await client.create(event, of: events, namespace: namespace)
      }
      func names(_ type: ResourceType, _ fields: String) async throws -> [String] {
        try await client.list(type, namespace: namespace, fields: fields).items.compactMap(
          \.["metadata"]["name"].string)
      }
      #expect(try await names(secrets, "metadata.name=a") == ["a"])
      #expect(try await names(secrets, "type=tests.example.com/b") == ["b"])
      #expect(try await names(secrets, "type!=tests.example.com/b,metadata.namespace=\(namespace)").contains("a"))
      #expect(try await names(events, "involvedObject.name=a,involvedObject.kind=ConfigMap") == ["a"])
      #expect(try await names(events, "reason=B") == ["b"])
      let path = secrets.path(namespace: namespace)
      #expect(try await Cluster.raw(.get, path, query: [.init("fieldSelector", "data.x=1")]).code == 400)
    }
  }

  @Test("a watch that selects sees objects come when they begin to fit, and go when they cease to")
  func transitions() async throws {
    try await Cluster.withNamespace { client, namespace in
      let key = ObjectKey(namespace: namespace, name: "a")
      let manifest: JSONValue = ["metadata": ["name": "a"], "data": ["n": "0"]]
      _ = try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
      let version = try await client.list(ConfigMap.resource, namespace: namespace).resourceVersion
      let stream = try await client.watch(
        ConfigMap.self, namespace: namespace, labels: "watched=yes", fields: nil, from: version, timeout: .seconds(60))
      func change(_ label: JSONValue, _ number: String) async throws {
        _ = try await client.patch(
          ConfigMap.resource, key,
          .merge(["metadata": ["labels": ["watched": label]], "data": ["n": .string(number)]]))
      }
      try await change("no", "1")
      try await change("yes", "2")
      try await change("yes", "3")
      try await change(nil, "4")
      try await change("no", "5")
      try await change("yes", "6")
      try await client.delete(ConfigMap.resource, key)
      var seen: [String] = []
      for await event in stream {
        switch event {
        case .added(let map): seen.append("added \(map.data?["n"] ?? "")")
        case .modified(let map): seen.append("modified \(map.data?["n"] ?? "")")
        case .deleted: seen.append("deleted")
        case .bookmark: continue
        case .unreadable(let object, _): Issue.record("\(object)")
        case .failed(let error): Issue.record("\(error)")
        }
        if seen.count == 5 { break }
      }
      #expect(seen == ["added 2", "modified 3", "deleted", "added 6", "deleted"])
    }
  }

  @Test("a watch by name sees that object only, and one from no version begins with what is there")
  func byName() async throws {
    try await Cluster.withNamespace { client, namespace in
      for name in ["a", "b"] {
        _ = try await client.create(
          ["metadata": ["name": .string(name)]], of: ConfigMap.resource, namespace: namespace)
      }
      let stream = try await client.watch(
        ConfigMap.self, namespace: namespace, labels: nil, fields: "metadata.name=b", from: "0", timeout: .seconds(60))
      let first = await stream.first { _ in true }
      guard case .added(let map) = first else {
        Issue.record("\(String(describing: first))")
        return
      }
      #expect(map.metadata.name == "b")
    }
  }
}

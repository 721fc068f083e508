import KubernetesModel
import TestSupport
import Testing

@testable import KubernetesClient

/// Finalizers, owners and their garbage collection, grace periods.
@Suite("Deletion", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct DeletionContractTests {
  private static let hold = "tests.example.com/hold"

  private func create(
    _ client: KubernetesClient, _ name: String, in namespace: String, owners: [JSONValue] = [], held: Bool = false
  ) async throws -> JSONValue {
    var manifest: JSONValue = ["metadata": ["name": .string(name), "labels": ["n": .string(name)]]]
    if !owners.isEmpty { manifest["metadata"]["ownerReferences"] = .array(owners) }
    if held { manifest["metadata"]["finalizers"] = [.string(Self.hold)] }
    return try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
  }

  private func reference(to owner: JSONValue, blocks: Bool = false) -> JSONValue {
    var reference: JSONValue = [
      "apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
    ]
    if blocks { reference["blockOwnerDeletion"] = true }
    return reference
  }

  private func key(_ object: JSONValue) -> ObjectKey {
    ObjectKey(
      namespace: object["metadata"]["namespace"].string, name: object["metadata"]["name"].string ?? "")
  }

  private func isGone(_ client: KubernetesClient, _ object: JSONValue) async throws -> Bool {
    try await isGone(client, ConfigMap.resource, key(object))
  }

  private func isGone(_ client: KubernetesClient, _ type: ResourceType, _ key: ObjectKey) async throws -> Bool {
    do {
      _ = try await client.get(type, key)
      return false
    } catch {
      guard error.isNotFound else { throw error }
      return true
    }
  }

  private func release(_ client: KubernetesClient, _ object: JSONValue) async throws {
    _ = try await client.patch(ConfigMap.resource, key(object), .merge(["metadata": ["finalizers": nil]]))
  }

  @Test("an object with a finalizer stays, marked, until the finalizer is taken off; it gets no new ones")
  func finalizer() async throws {
    try await Cluster.withNamespace { client, namespace in
      let object = try await create(client, "held", in: namespace, held: true)
      try await client.delete(ConfigMap.resource, key(object))
      let marked = try await client.get(ConfigMap.resource, key(object))
      #expect(marked["metadata"]["deletionTimestamp"].string != nil)
      #expect(marked["metadata"]["deletionGracePeriodSeconds"] == 0)
      let changed = try await client.patch(ConfigMap.resource, key(object), .merge(["data": ["a": "b"]]))
      #expect(changed["data"] == ["a": "b"])
      try await client.delete(ConfigMap.resource, key(object))
      let still = try await client.get(ConfigMap.resource, key(object))
      #expect(still["metadata"]["deletionTimestamp"] == marked["metadata"]["deletionTimestamp"])
      let more: JSONValue = ["metadata": ["finalizers": [.string(Self.hold), "tests.example.com/more"]]]
      let error = await #expect(throws: APIError.self) {
        try await client.patch(ConfigMap.resource, key(object), .merge(more))
      }
      #expect(error?.isInvalid == true)
      try await release(client, object)
      #expect(try await isGone(client, object))
    }
  }

  @Test("a watch sees the mark, then the end, of an object with a finalizer")
  func watched() async throws {
    try await Cluster.withNamespace { client, namespace in
      let version = try await client.list(ConfigMap.resource, namespace: namespace).resourceVersion
      let stream = try await client.watch(
        ConfigMap.self, namespace: namespace, labels: "n=held", fields: nil, from: version, timeout: .seconds(60))
      let object = try await create(client, "held", in: namespace, held: true)
      try await client.delete(ConfigMap.resource, key(object))
      try await release(client, object)
      var seen: [String] = []
      for await event in stream {
        switch event {
        case .added: seen.append("added")
        case .modified(let map): seen.append(map.metadata.deletionTimestamp == nil ? "modified" : "marked")
        case .deleted: seen.append("deleted")
        case .bookmark: continue
        case .unreadable(let object, _): Issue.record("\(object)")
        case .failed(let error): Issue.record("\(error)")
        }
        if seen.last == "deleted" { break }
      }
      #expect(seen == ["added", "marked", "deleted"])
    }
  }

  @Test("in the background, what an object owns goes after it, down to the last")
  func background() async throws {
    try await Cluster.withNamespace { client, namespace in
      let owner = try await create(client, "owner", in: namespace)
      let child = try await create(client, "child", in: namespace, owners: [reference(to: owner)])
      let grandchild = try await create(client, "grandchild", in: namespace, owners: [reference(to: child)])
      try await client.delete(ConfigMap.resource, key(owner), DeleteOptions(propagation: .background))
      #expect(try await isGone(client, owner))
      try await eventually { try await isGone(client, child) }
      try await eventually { try await isGone(client, grandchild) }
    }
  }

  @Test("orphaned objects stay, without their owner")
  func orphan() async throws {
    try await Cluster.withNamespace { client, namespace in
      let owner = try await create(client, "owner", in: namespace)
      let child = try await create(client, "child", in: namespace, owners: [reference(to: owner)])
      try await client.delete(ConfigMap.resource, key(owner), DeleteOptions(propagation: .orphan))
      try await eventually { try await isGone(client, owner) }
      let left = try await client.get(ConfigMap.resource, key(child))
      #expect(left["metadata"]["ownerReferences"].isNull)
      #expect(left["metadata"]["deletionTimestamp"].isNull)
    }
  }

  @Test("in the foreground, an object goes after those that block it")
  func foreground() async throws {
    try await Cluster.withNamespace { client, namespace in
      let owner = try await create(client, "owner", in: namespace)
      let child = try await create(
        client, "child", in: namespace, owners: [reference(to: owner, blocks: true)], held: true)
      let free = try await create(client, "free", in: namespace, owners: [reference(to: owner)])
      try await client.delete(ConfigMap.resource, key(owner), DeleteOptions(propagation: .foreground))
      try await eventually { try await isGone(client, free) }
      try await eventually {
        try await !client.get(ConfigMap.resource, key(child))["metadata"]["deletionTimestamp"].isNull
      }
      let waiting = try await client.get(ConfigMap.resource, key(owner))
      #expect(waiting["metadata"]["finalizers"] == ["foregroundDeletion"])
      try await release(client, child)
      try await eventually { try await isGone(client, owner) }
      #expect(try await isGone(client, child))
    }
  }

  @Test("of two owners the last takes an object along; the reference to the first goes with it")
  func twoOwners() async throws {
    try await Cluster.withNamespace { client, namespace in
      let first = try await create(client, "first", in: namespace)
      let second = try await create(client, "second", in: namespace)
      let child = try await create(
        client, "child", in: namespace, owners: [reference(to: first), reference(to: second)])
      try await client.delete(ConfigMap.resource, key(first), DeleteOptions(propagation: .background))
      try await eventually {
        try await client.get(ConfigMap.resource, key(child))["metadata"]["ownerReferences"] == [reference(to: second)]
      }
      try await client.delete(ConfigMap.resource, key(second), DeleteOptions(propagation: .background))
      try await eventually { try await isGone(client, child) }
    }
  }

  @Test("an object whose owner never was goes too")
  func absentOwner() async throws {
    try await Cluster.withNamespace { client, namespace in
      let owner = try await create(client, "owner", in: namespace)
      var reference = reference(to: owner)
      reference["uid"] = "e4a3a8b0-0000-0000-0000-000000000000"
      let child = try await create(client, "child", in: namespace, owners: [reference])
      try await eventually { try await isGone(client, child) }
      #expect(try await !isGone(client, owner))
    }
  }

  @Test("many objects are deleted at once by a selector")
  func collection() async throws {
    try await Cluster.withNamespace { client, namespace in
      for name in ["a", "b", "c"] { _ = try await create(client, name, in: namespace) }
      let path = ConfigMap.resource.path(namespace: namespace)
      #expect(try await Cluster.raw(.delete, path, query: [.init("labelSelector", "n in (a, b)")]).code == 200)
      let names = try await client.list(ConfigMap.resource, namespace: namespace, labels: "n").items
      #expect(names.map(\.["metadata"]["name"]) == ["c"])
    }
  }

  @Test("a pod that has a node gets its grace period, which can be shortened to nothing")
  func podGrace() async throws {
    try await Cluster.withNamespace { client, namespace in
      try await Cluster.waitForServiceAccount(client, namespace)
      func manifest(_ name: String) -> JSONValue {
        [
          "metadata": ["name": .string(name)],
          "spec": [
            "nodeName": "nowhere", "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 77,
            "containers": [["name": "c", "image": "none"]],
          ],
        ]
      }
      let pod = key(try await client.create(manifest("one"), of: Pod.resource, namespace: namespace))
      try await client.delete(Pod.resource, pod)
      let marked = try await client.get(Pod.resource, pod)
      #expect(marked["metadata"]["deletionGracePeriodSeconds"] == 77)
      #expect(marked["metadata"]["deletionTimestamp"].string != nil)
      try await client.delete(Pod.resource, pod, DeleteOptions(gracePeriodSeconds: 0))
      let error = await #expect(throws: APIError.self) { try await client.get(Pod.resource, pod) }
      #expect(error?.isNotFound == true)

      let ended = key(try await client.create(manifest("two"), of: Pod.resource, namespace: namespace))
      _ = try await client.patch(
        Pod.resource, ended, .merge(["status": ["phase": "Succeeded"]]), subresource: .status)
      try await client.delete(Pod.resource, ended)
      let gone = await #expect(throws: APIError.self) { try await client.get(Pod.resource, ended) }
      #expect(gone?.isNotFound == true)
    }
  }

  @Test("a namespace goes with everything in it")
  func namespace() async throws {
    try await Cluster.withNamespace { client, namespace in
      let object = try await create(client, "held", in: namespace, held: true)
      let key = ObjectKey(namespace: nil, name: namespace)
      try await client.delete(Namespace.self, key)
      #expect(try await client.get(Namespace.resource, key)["status"]["phase"] == "Terminating")
      try await eventually {
        try await !client.get(ConfigMap.resource, self.key(object))["metadata"]["deletionTimestamp"].isNull
      }
      try await release(client, object)
      try await eventually { try await isGone(client, Namespace.resource, key) }
    }
  }
}

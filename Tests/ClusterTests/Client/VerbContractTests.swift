import FoundationEssentials
import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("Verbs on a real API server", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct VerbContractTests {
  func map(_ name: String, in namespace: String, _ data: [String: String] = ["a": "1"]) -> ConfigMap {
    ConfigMap(metadata: ObjectMeta(name: name, namespace: namespace, labels: ["n": name]), data: data)
  }

  @Test("what was created can be read, changed and deleted")
  func lifecycle() async throws {
    try await Cluster.withNamespace { client, namespace in
      let created = try await client.create(map("one", in: namespace))
      var read = try await client.get(ConfigMap.self, created.key)
      #expect(read == created)
      read.data = ["a": "2"]
      #expect(try await client.update(read).data == ["a": "2"])
      let patched = try await client.patch(ConfigMap.self, created.key, .merge(["data": ["a": nil, "b": "3"]]))
      #expect(patched.data == ["b": "3"])
      try await client.delete(ConfigMap.self, created.key)
      let error = await #expect(throws: APIError.self) { try await client.get(ConfigMap.self, created.key) }
      #expect(error?.isNotFound == true)
      #expect(error?.reason == "NotFound")
    }
  }

  @Test("a dry run stores nothing")
  func dryRun() async throws {
    try await Cluster.withNamespace { client, namespace in
      let created = try await client.create(map("one", in: namespace), dryRun: true)
      let error = await #expect(throws: APIError.self) { try await client.get(ConfigMap.self, created.key) }
      #expect(error?.isNotFound == true)
    }
  }

  @Test("creating what exists is AlreadyExists, not a conflict")
  func alreadyExists() async throws {
    try await Cluster.withNamespace { client, namespace in
      let object = map("one", in: namespace)
      _ = try await client.create(object)
      let error = await #expect(throws: APIError.self) { try await client.create(object) }
      #expect(error?.isAlreadyExists == true)
      #expect(error?.isConflict == false)
    }
  }

  @Test("updating from an old version, and deleting another object or version, are conflicts")
  func conflicts() async throws {
    try await Cluster.withNamespace { client, namespace in
      let old = try await client.create(map("one", in: namespace))
      let new = try await client.patch(ConfigMap.self, old.key, .merge(["data": ["a": "2"]]))
      let update = await #expect(throws: APIError.self) { try await client.update(old) }
      #expect(update?.isConflict == true)
      for options in [DeleteOptions(uid: "other"), DeleteOptions(resourceVersion: old.metadata.resourceVersion)] {
        let delete = await #expect(throws: APIError.self) { try await client.delete(ConfigMap.self, old.key, options) }
        #expect(delete?.isConflict == true)
      }
      #expect(try await client.get(ConfigMap.self, old.key) == new)
      let exact = DeleteOptions(uid: new.metadata.uid, resourceVersion: new.metadata.resourceVersion)
      try await client.delete(ConfigMap.self, old.key, exact)
    }
  }

  @Test("what does not validate is refused with the field in question")
  func invalid() async throws {
    try await Cluster.withNamespace { client, namespace in
      let error = await #expect(throws: APIError.self) {
        try await client.create(ConfigMap(metadata: ObjectMeta(name: "No Name", namespace: namespace)))
      }
      #expect(error?.isInvalid == true)
      guard case .refused(let status, _) = error else { return }
      #expect(status.details?.causes?.map(\.field) == ["metadata.name"])
    }
  }

  @Test("a JSON patch whose test fails changes nothing, one whose test holds is applied")
  func jsonPatch() async throws {
    try await Cluster.withNamespace { client, namespace in
      let object = try await client.create(map("one", in: namespace))
      let error = await #expect(throws: APIError.self) {
        try await client.patch(ConfigMap.self, object.key, replacement(of: "0"))
      }
      #expect(error?.isInvalid == true)
      #expect(try await client.get(ConfigMap.self, object.key) == object)
      _ = try await client.patch(ConfigMap.self, object.key, replacement(of: "1"))
      let removal = Patch.json([.remove(["metadata", "annotations", "x/y"])])
      let patched = try await client.patch(ConfigMap.self, object.key, removal)
      #expect(patched.data == ["a": "2"])
      #expect(patched.metadata.annotations?.isEmpty ?? true)
    }
  }

  @Test("a list in small pages is complete, and selectors select")
  func pages() async throws {
    try await Cluster.withNamespace { client, namespace in
      for number in 0..<7 { _ = try await client.create(map("m\(number)", in: namespace)) }
      let all = try await client.list(
        ConfigMap.self,
        namespace: namespace,
        labels: "n",
        fields: nil,
        pageSize: 2
      )
      #expect(all.items.map(\.metadata.name) == (0..<7).map { "m\($0)" })
      #expect(!all.resourceVersion.isEmpty)
      let labelled = try await client.list(ConfigMap.self, namespace: namespace, labels: "n in (m1, m2)")
      #expect(labelled.items.map(\.metadata.name) == ["m1", "m2"])
      let named = try await client.list(ConfigMap.self, fields: "metadata.name=m3,metadata.namespace=\(namespace)")
      #expect(named.items.map(\.metadata.name) == ["m3"])
    }
  }

  @Test("in a namespace that is going away nothing can be created, and the error says so")
  func terminatingNamespace() async throws {
    try await Cluster.withNamespace { client, namespace in
      let held: JSONValue = ["metadata": ["name": "held", "finalizers": ["tests.example.com/hold"]]]
      let object = try await client.create(held, as: ConfigMap.self, namespace: namespace)
      try await client.delete(Namespace.self, ObjectKey(namespace: nil, name: namespace))
      let error = await #expect(throws: APIError.self) { try await client.create(map("late", in: namespace)) }
      #expect(error?.isNamespaceTerminating == true)
      _ = try await client.patch(ConfigMap.self, object.key, .merge(["metadata": ["finalizers": nil]]))
    }
  }

  @Test("status is written by its subresource, and only by it")
  func status() async throws {
    try await Cluster.withNamespace { client, namespace in
      try await Cluster.waitForServiceAccount(client, namespace)
      // A pod that no scheduler and no kubelet touches.
      let manifest: JSONValue = [
        "metadata": ["name": "still"],
        "spec": [
          "schedulerName": "none", "automountServiceAccountToken": false,
          "containers": [["name": "c", "image": "none"]],
        ],
      ]
      let pod = try await client.create(manifest, as: Pod.self, namespace: namespace)
      let patch = Patch.merge(["status": ["phase": "Failed"]])
      #expect(try await client.patch(Pod.self, pod.key, patch).status?.phase == "Pending")
      #expect(try await client.patch(Pod.self, pod.key, patch, subresource: .status).status?.phase == "Failed")
    }
  }

  @Test("the log of a container can be read, also just its end")
  func log() async throws {
    try await Cluster.withNamespace { client, namespace in
      try await Cluster.waitForServiceAccount(client, namespace)
      let image = try #require(Cluster.environment["RCLONE_IMAGE"])
      let manifest: JSONValue = [
        "metadata": ["name": "talks"],
        "spec": [
          "restartPolicy": "Never",
          "automountServiceAccountToken": false,
          "containers": [["name": "rclone", "image": .string(image), "args": ["version"]]],
        ],
      ]
      let pod = try await client.create(manifest, as: Pod.self, namespace: namespace)
      if Cluster.isStandalone {
        // No kubelet runs it; its log is one of the lab.
        _ = try await client.patch(
          Pod.self, pod.key, .merge(["status": ["phase": "Succeeded"]]), subresource: .status)
      }
      while try await client.get(Pod.self, pod.key).status?.phase != "Succeeded" {
        try await Task.sleep(for: .milliseconds(200))
      }
      let whole = try await client.log(ofPod: pod.key)
      #expect(whole.hasPrefix("rclone v"))
      let lines = whole.split(separator: "\n")
      #expect(try await client.log(ofPod: pod.key, container: "rclone", tailLines: 1) == lines.last.map { "\($0)\n" })
      #expect(try await client.log(ofPod: pod.key, limitBytes: 8) == String(whole.prefix(8)))
      let error = await #expect(throws: APIError.self) { try await client.log(ofPod: pod.key, previous: true) }
      #expect(error?.statusCode == 400)
    }
  }

  @Test("what the server serves is found out")
  func discovery() async throws {
    let client = try Cluster.client()
    #expect(try await client.get(path: "/version")["major"].string == "1")
    #expect(try await client.serves(Job.resource))
    #expect(try await client.serves(ConfigMap.resource))
    var unknown = Job.resource
    unknown.plural = "robs"
    #expect(try await !client.serves(unknown))
    unknown.group = "none.example.com"
    #expect(try await !client.serves(unknown))
  }

  private func replacement(of value: JSONValue) -> Patch {
    .json([.test("/data/a", value), .replace("/data/a", "2"), .add(["metadata", "annotations"], ["x/y": "z"])])
  }
}

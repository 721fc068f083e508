import KubernetesModel
import Testing

@testable import KubernetesClient

/// What the server makes of objects of Kubernetes' own types.
@Suite("Built-in types", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct BuiltInContractTests {
  private let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")

  private func job(_ name: String) -> JSONValue {
    [
      "metadata": ["name": .string(name)],
      "spec": [
        "parallelism": 0,
        "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "none"]]]],
      ],
    ]
  }

  @Test("the plain text of a Secret is encoded, and its type is Opaque and stays")
  func secret() async throws {
    try await Cluster.withNamespace { client, namespace in
      let manifest: JSONValue = [
        "metadata": ["name": "s"], "data": ["a": "MQ=="], "stringData": ["b": "2"],
      ]
      let secret = try await client.create(manifest, of: secrets, namespace: namespace)
      #expect(secret["data"] == ["a": "MQ==", "b": "Mg=="])
      #expect(secret["stringData"].isNull)
      #expect(secret["type"] == "Opaque")
      let key = ObjectKey(namespace: namespace, name: "s")
      let error = await #expect(throws: APIError.self) { try await client.patch(secrets, key, .merge(["type": "x"])) }
      #expect(error?.isInvalid == true)
      let broken = await #expect(throws: APIError.self) {
        try await client.patch(secrets, key, .merge(["data": ["a": "no base64"]]))
      }
      #expect(broken?.statusCode.map { $0 == 400 || $0 == 422 } == true)
    }
  }

  @Test("an immutable ConfigMap keeps its data")
  func immutable() async throws {
    try await Cluster.withNamespace { client, namespace in
      let manifest: JSONValue = ["metadata": ["name": "c"], "data": ["a": "1"], "immutable": true]
      _ = try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
      let key = ObjectKey(namespace: namespace, name: "c")
      for change in [["data": ["a": "2"]], ["immutable": false]] as [JSONValue] {
        let error = await #expect(throws: APIError.self) {
          try await client.patch(ConfigMap.resource, key, .merge(change))
        }
        #expect(error?.isInvalid == true)
      }
      _ = try await client.patch(ConfigMap.resource, key, .merge(["metadata": ["labels": ["a": "b"]]]))
    }
  }

  @Test("a Job gets its defaults, and a selector that its pods fit; what it runs never changes")
  func jobDefaults() async throws {
    try await Cluster.withNamespace { client, namespace in
      let created = try await client.create(job("j"), of: Job.resource, namespace: namespace)
      #expect(created["spec"]["backoffLimit"] == 6)
      #expect(created["spec"]["completions"].isNull)
      let uid = created["metadata"]["uid"]
      let labels = created["spec"]["template"]["metadata"]["labels"]
      for (name, value) in created["spec"]["selector"]["matchLabels"].object ?? [:] {
        #expect(value == uid)
        #expect(labels[name] == uid)
      }
      #expect(labels["job-name"] == "j")
      #expect(created["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 30)
      let key = ObjectKey(namespace: namespace, name: "j")
      let error = await #expect(throws: APIError.self) {
        try await client.patch(
          Job.resource, key, .merge(["spec": ["template": ["metadata": ["labels": ["a": "b"]]]]]))
      }
      #expect(error?.isInvalid == true)
      let changed = try await client.patch(Job.resource, key, .merge(["spec": ["activeDeadlineSeconds": 7]]))
      #expect(changed["spec"]["activeDeadlineSeconds"] == 7)
      var single = job("single")
      single["spec"].removeMember("parallelism")
      let tried = try await client.create(single, of: Job.resource, namespace: namespace, WriteOptions(dryRun: true))
      #expect(tried["spec"]["completions"] == 1)
      #expect(tried["spec"]["parallelism"] == 1)
    }
  }

  @Test("a Job without containers, or whose pods restart always, is refused")
  func wrongJobs() async throws {
    try await Cluster.withNamespace { client, namespace in
      var empty = job("empty")
      empty["spec"]["template"]["spec"]["containers"] = []
      var restarting = job("restarting")
      restarting["spec"]["template"]["spec"]["restartPolicy"] = "Always"
      var unnamed = job("unnamed")
      unnamed["spec"]["template"]["spec"]["containers"] = [["image": "none"]]
      for manifest in [empty, restarting, unnamed] {
        let error = await #expect(throws: APIError.self) {
          try await client.create(manifest, of: Job.resource, namespace: namespace)
        }
        #expect(error?.isInvalid == true, "\(manifest["metadata"]["name"])")
      }
    }
  }

  @Test("a name is completed by the server")
  func generatedName() async throws {
    try await Cluster.withNamespace { client, namespace in
      let manifest: JSONValue = ["metadata": ["generateName": "some-"]]
      let first = try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
      let second = try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
      let names = [first, second].compactMap(\.["metadata"]["name"].string)
      #expect(Set(names).count == 2)
      #expect(names.allSatisfy { $0.hasPrefix("some-") && $0.count == 10 })
    }
  }

  @Test("what cannot be created is refused, with the reason that fits")
  func refused() async throws {
    try await Cluster.withNamespace { client, namespace in
      for (manifest, namespace, codes) in [
        (["metadata": [:]], namespace, [422]), (["metadata": ["name": "a"]], "none-\(namespace)", [404]),
        (["metadata": ["name": "a", "namespace": "other"]], namespace, [400]),
        (["metadata": ["name": "a", "labels": ["a b": "c"]]], namespace, [422]),
        (["metadata": ["name": "a", "labels": ["a": "b c"]]], namespace, [422]),
        (["metadata": ["name": "a"], "data": ["a b": "c"]], namespace, [422]),
        (["kind": "Secret", "apiVersion": "v1", "metadata": ["name": "a"]], namespace, [400]),
        // Real servers call this an internal error.
        (["metadata": ["name": "a", "resourceVersion": "1"]], namespace, [400, 500]),
      ] as [(JSONValue, String, [Int])] {
        let path = ConfigMap.resource.path(namespace: namespace)
        let answer = try await Cluster.raw(.post, path, body: manifest)
        #expect(codes.contains(answer.code), "\(manifest): \(answer.body["message"])")
      }
      #expect(try await Cluster.raw(.post, "/apis/none.example.com/v1/nones", body: [:]).code == 404)
    }
  }

  @Test("a strategic merge patch merges lists by their keys, and takes elements out")
  func strategicMerge() async throws {
    try await Cluster.withNamespace { client, namespace in
      let manifest: JSONValue = ["metadata": ["name": "c", "finalizers": ["a.example.com/a", "b.example.com/b"]]]
      _ = try await client.create(manifest, of: ConfigMap.resource, namespace: namespace)
      let path = ConfigMap.resource.path(of: ObjectKey(namespace: namespace, name: "c"))
      func patch(_ change: JSONValue) async throws -> JSONValue {
        let answer = try await Cluster.raw(
          .patch, path, body: change, contentType: "application/strategic-merge-patch+json")
        #expect(answer.code == 200)
        return answer.body
      }
      let added = try await patch(["metadata": ["finalizers": ["c.example.com/c"]], "data": ["x": "1"]])
      #expect(added["metadata"]["finalizers"].array?.count == 3)
      #expect(added["data"] == ["x": "1"])
      let all = added["metadata"]["finalizers"]
      let removed = try await patch([
        "metadata": ["$deleteFromPrimitiveList/finalizers": all], "data": ["x": nil, "y": "2"],
      ])
      #expect(removed["metadata"]["finalizers"].isNull)
      #expect(removed["data"] == ["y": "2"])
    }
  }

  @Test("custom resources and unknown forms are not patched strategically")
  func patchTypes() async throws {
    try await CustomResources.install()
    try await Cluster.withNamespace { client, namespace in
      _ = try await client.create(["metadata": ["name": "c"]], of: ConfigMap.resource, namespace: namespace)
      let path = ConfigMap.resource.path(of: ObjectKey(namespace: namespace, name: "c"))
      #expect(try await Cluster.raw(.patch, path, body: [:], contentType: "application/json").code == 415)
      let policy: JSONValue = [
        "metadata": ["name": "p"], "spec": ["source": "a", "destination": "b", "schedule": "@daily"],
      ]
      let type = ResourceType(
        group: "bucket-sync.homelab-helper.benfiola.com", version: "v1", kind: "BucketSyncPolicy",
        plural: "bucketsyncpolicies")
      _ = try await client.create(policy, of: type, namespace: namespace)
      let answer = try await Cluster.raw(
        .patch, type.path(of: ObjectKey(namespace: namespace, name: "p")), body: [:],
        contentType: "application/strategic-merge-patch+json")
      #expect(answer.code == 415)
    }
  }
}

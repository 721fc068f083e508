import BucketSyncAPI
import KubernetesModel
import Testing

@testable import KubernetesClient

/// What the reconcilers take for granted about writes to our own kinds.
@Suite("Versions and generations", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct GenerationContractTests {
  private static let manifest: JSONValue = [
    "metadata": ["name": "one"], "spec": ["source": "a", "destination": "b", "schedule": "@daily"],
  ]

  private func withPolicy(
    _ manifest: JSONValue = manifest, _ body: (KubernetesClient, ObjectKey, JSONValue) async throws -> Void
  ) async throws {
    try await CustomResources.install()
    try await Cluster.withNamespace { client, namespace in
      let key = ObjectKey(namespace: namespace, name: "one")
      try await body(
        client, key, try await client.create(manifest, of: BucketSyncPolicy.resource, namespace: namespace))
    }
  }

  private func patch(
    _ client: KubernetesClient, _ key: ObjectKey, _ change: JSONValue, subresource: Subresource? = nil
  ) async throws -> JSONValue {
    try await client.patch(BucketSyncPolicy.resource, key, .merge(change), subresource: subresource)
  }

  @Test("a change of the spec makes a new generation; changes of metadata and status do not")
  func generation() async throws {
    try await withPolicy { client, key, created in
      #expect(created["metadata"]["generation"] == 1)
      let labelled = try await patch(client, key, ["metadata": ["labels": ["a": "b"]]])
      #expect(labelled["metadata"]["generation"] == 1)
      #expect(labelled["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"])
      let changed = try await patch(client, key, ["spec": ["schedule": "@hourly"]])
      #expect(changed["metadata"]["generation"] == 2)
      let status = try await patch(client, key, ["status": ["active": 1]], subresource: .status)
      #expect(status["metadata"]["generation"] == 2)
      #expect(status["metadata"]["resourceVersion"] != changed["metadata"]["resourceVersion"])
    }
  }

  @Test("a write that changes nothing makes no new version")
  func noChange() async throws {
    try await withPolicy { client, key, created in
      let version = created["metadata"]["resourceVersion"]
      #expect(try await patch(client, key, ["spec": ["schedule": "@daily"]])["metadata"]["resourceVersion"] == version)
      let path = BucketSyncPolicy.resource.path(of: key)
      let replaced = try await Cluster.raw(.put, path, body: created)
      #expect(replaced.code == 200)
      #expect(replaced.body["metadata"]["resourceVersion"] == version)
    }
  }

  @Test("status comes by its subresource only, and nothing but status does")
  func status() async throws {
    var manifest = Self.manifest
    manifest["status"] = ["active": 7]
    try await withPolicy(manifest) { client, key, created in
      #expect(created["status"].isNull)
      let change: JSONValue = [
        "metadata": ["labels": ["a": "b"]], "spec": ["schedule": "@hourly"], "status": ["active": 1],
      ]
      let status = try await patch(client, key, change, subresource: .status)
      #expect(status["status"] == ["active": 1])
      #expect(status["spec"] == created["spec"])
      #expect(status["metadata"]["labels"].isNull)
      let spec = try await patch(client, key, ["spec": ["schedule": "@hourly"], "status": ["active": 2]])
      #expect(spec["status"] == ["active": 1])
      let path = BucketSyncPolicy.resource.path(of: key, subresource: .status)
      #expect(try await Cluster.raw(.get, path).body == spec)
    }
  }

  @Test("fields that the schema does not know are dropped, and so are nulls")
  func pruning() async throws {
    var manifest = Self.manifest
    manifest["unknown"] = 1
    manifest["metadata"]["unknown"] = "x"
    manifest["spec"]["unknown"] = ["a": 1]
    manifest["spec"]["suspend"] = nil
    manifest["spec"]["sourceEnv"] = [["name": "A", "value": "b", "unknown": true]]
    try await withPolicy(manifest) { client, key, created in
      var spec = Self.manifest["spec"]
      spec["sourceEnv"] = [["name": "A", "value": "b"]]
      #expect(created["spec"] == spec)
      #expect(created["unknown"].isNull)
      #expect(created["metadata"]["unknown"].isNull)
      let status = try await patch(client, key, ["status": ["active": 1, "unknown": 1]], subresource: .status)
      #expect(status["status"] == ["active": 1])
      #expect(try await client.get(BucketSyncPolicy.resource, key) == status)
    }
  }

  @Test("what the server sets cannot be set by others")
  func systemFields() async throws {
    var manifest = Self.manifest
    manifest["metadata"]["uid"] = "mine"
    manifest["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    manifest["metadata"]["generation"] = 7
    try await withPolicy(manifest) { client, key, created in
      #expect(created["metadata"]["uid"] != "mine")
      #expect(created["metadata"]["creationTimestamp"] != "2020-01-01T00:00:00Z")
      #expect(created["metadata"]["generation"] == 1)
      let change: JSONValue = ["metadata": ["generation": 9, "creationTimestamp": "2020-01-01T00:00:00Z"]]
      let changed = try await patch(client, key, change)
      #expect(changed["metadata"]["generation"] == 1)
      #expect(changed["metadata"]["creationTimestamp"] == created["metadata"]["creationTimestamp"])
    }
  }

  @Test("a custom resource is replaced by version only; a patch with an old version, or another UID, is refused")
  func versions() async throws {
    try await withPolicy { client, key, created in
      let path = BucketSyncPolicy.resource.path(of: key)
      let changed = try await patch(client, key, ["spec": ["schedule": "@hourly"]])
      var blind = changed
      blind["metadata"].removeMember("resourceVersion")
      #expect(try await Cluster.raw(.put, path, body: blind).code == 422)
      #expect(try await Cluster.raw(.put, path, body: created).code == 409)
      var renamed = changed
      renamed["metadata"]["name"] = "other"
      #expect(try await Cluster.raw(.put, path, body: renamed).code == 400)
      let old = await #expect(throws: APIError.self) {
        try await patch(
          client, key,
          [
            "metadata": ["resourceVersion": created["metadata"]["resourceVersion"]], "spec": ["schedule": "@weekly"],
          ])
      }
      #expect(old?.isConflict == true)
      // Invalid for some versions of Kubernetes, a conflict for others.
      let other = await #expect(throws: APIError.self) {
        try await patch(
          client, key,
          ["metadata": ["uid": "e4a3a8b0-0000-0000-0000-000000000000"], "spec": ["schedule": "@weekly"]])
      }
      #expect(other.map { $0.isConflict || $0.isInvalid } == true)
      var gone = changed
      gone["metadata"]["name"] = "gone"
      gone["metadata"].removeMember("uid")
      let absent = BucketSyncPolicy.resource.path(of: ObjectKey(namespace: key.namespace, name: "gone"))
      #expect(try await Cluster.raw(.put, absent, body: gone).code == 404)
    }
  }

  @Test("a dry run of any write checks it, and changes nothing")
  func dryRun() async throws {
    try await withPolicy { client, key, created in
      let options = WriteOptions(dryRun: true)
      let tried = try await client.patch(
        BucketSyncPolicy.resource, key, .merge(["spec": ["schedule": "@hourly"]]), options)
      #expect(tried["spec"]["schedule"] == "@hourly")
      let error = await #expect(throws: APIError.self) {
        try await client.patch(BucketSyncPolicy.resource, key, .merge(["spec": ["source": 7]]), options)
      }
      #expect(error?.isInvalid == true)
      let path = BucketSyncPolicy.resource.path(of: key)
      #expect(try await Cluster.raw(.delete, path, query: [.init("dryRun", "All")]).code == 200)
      #expect(try await client.get(BucketSyncPolicy.resource, key) == created)
    }
  }
}

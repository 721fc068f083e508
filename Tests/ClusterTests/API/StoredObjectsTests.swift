import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Testing

/// Objects that are really stored, read back by the client and by kubectl.
@Suite("Stored objects on a real API server", .serialized, .enabled(if: Cluster.isEnabled))
struct StoredObjectsTests {
  private func withNamespace(_ body: (KubernetesClient, String) async throws -> Void) async throws {
    try await CustomResources.install()
    try await Cluster.withNamespace(body)
  }

  /// Puts `status` in place of the object's status, `null` members included, as the status subresource takes it.
  private func replaceStatus(of object: String, in namespace: String, by status: JSONValue) async throws {
    var stored = try await Kubectl.object("get", object, "--namespace", namespace)
    stored["status"] = status
    let body = String(decoding: try JSON.encode(stored), as: UTF8.self)
    _ = try await Kubectl.output("replace", "--subresource=status", "--filename=-", input: body)
  }

  @Test("every field survives being stored: the schema prunes none")
  func nothingPruned() async throws {
    try await withNamespace { client, namespace in
      var policy = FullObjects.policy
      var run = FullObjects.run
      policy.metadata.namespace = namespace
      run.metadata.namespace = namespace
      _ = try await client.create(policy)
      _ = try await client.create(run)
      let policyStatus = try JSONValue(encoding: policy.status)
      let runStatus = try JSONValue(encoding: run.status)
      try await replaceStatus(of: "bucketsyncpolicy/full", in: namespace, by: policyStatus)
      try await replaceStatus(of: "bucketsync/full", in: namespace, by: runStatus)

      let storedPolicy = try await Kubectl.object("get", "bucketsyncpolicy/full", "--namespace", namespace)
      #expect(storedPolicy["spec"] == (try JSONValue(encoding: policy.spec)))
      #expect(storedPolicy["status"] == policyStatus)
      let storedRun = try await Kubectl.object("get", "bucketsync/full", "--namespace", namespace)
      #expect(storedRun["spec"] == (try JSONValue(encoding: run.spec)))
      #expect(storedRun["status"] == runStatus)

      #expect(try await client.get(BucketSyncPolicy.self, policy.key).status == policy.status)
      #expect(try await client.get(BucketSync.self, run.key).status == run.status)
    }
  }

  @Test("the statuses in the specification's examples are taken, nulls included, and can be read")
  func specifiedStatuses() async throws {
    try await withNamespace { client, namespace in
      var policy = FullObjects.policy
      var run = FullObjects.run
      policy.metadata.namespace = namespace
      run.metadata.namespace = namespace
      _ = try await client.create(policy)
      _ = try await client.create(run)
      try await replaceStatus(
        of: "bucketsyncpolicy/full",
        in: namespace,
        by: [
          "lastSyncTime": "2024-01-15T02:00:00Z", "nextSyncTime": "2024-01-16T02:00:00Z", "error": nil,
          "lastReconciledTime": "2024-01-15T02:01:30Z", "observedGeneration": 1,
        ]
      )
      try await replaceStatus(
        of: "bucketsync/full",
        in: namespace,
        by: [
          "phase": "Sync", "job": "daily-backup-1705316400", "startTime": "2024-01-15T02:00:00Z",
          "finishTime": nil, "error": nil, "lastReconciledTime": "2024-01-15T02:00:30Z", "observedGeneration": 1,
        ]
      )
      let policyStatus = try await client.get(BucketSyncPolicy.self, policy.key).status
      #expect(policyStatus?.nextSyncTime == Timestamp("2024-01-16T02:00:00Z"))
      #expect(policyStatus?.error == nil)
      let runStatus = try await client.get(BucketSync.self, run.key).status
      #expect(runStatus?.phase == .sync)
      #expect(runStatus?.startTime == Timestamp("2024-01-15T02:00:00Z"))
      #expect(runStatus?.finishTime == nil)
    }
  }

  @Test("a status of any length can be written")
  func longStatus() async throws {
    try await withNamespace { client, namespace in
      var run = FullObjects.run
      run.metadata.namespace = namespace
      _ = try await client.create(run)
      let long = String(repeating: "x", count: 100_000)
      var status = try #require(run.status)
      status.error = long
      status.notes = ["note": long]
      status.conditions?[0].message = long
      try await replaceStatus(of: "bucketsync/full", in: namespace, by: try JSONValue(encoding: status))
      #expect(try await client.get(BucketSync.self, run.key).status == status)
    }
  }

  @Test("the tables of kubectl have the columns and values that people look for")
  func columns() async throws {
    try await withNamespace { client, namespace in
      var policy = FullObjects.policy
      policy.metadata.namespace = namespace
      let owner = try await client.create(policy)
      var run = FullObjects.run
      run.metadata.namespace = namespace
      run.metadata.ownerReferences = [owner.controllerReference()]
      _ = try await client.create(run)
      try await replaceStatus(of: "bsp/full", in: namespace, by: try JSONValue(encoding: policy.status))
      try await replaceStatus(of: "bs/full", in: namespace, by: try JSONValue(encoding: run.status))

      let policies = try await table("bsp", in: namespace)
      #expect(policies.header == ["NAME", "SCHEDULE", "LAST SYNC", "NEXT SYNC", "ACTIVE", "READY", "AGE"])
      #expect(policies.row.prefix(2) == ["full", "@daily"])
      #expect(policies.row.dropFirst(3).prefix(3) == ["2024-01-15T02:00:00Z", "1", "True"])
      let runs = try await table("bs", in: namespace)
      #expect(runs.header == ["NAME", "POLICY", "PHASE", "RESULT", "DURATION", "AGE"])
      #expect(runs.row.prefix(5) == ["full", "full", "Finished", "Succeeded", "1m5s"])

      let widePolicies = try await table("bsp", "wide", in: namespace)
      #expect(widePolicies.header.suffix(3) == ["SOURCE", "DESTINATION", "ERROR"])
      #expect(widePolicies.row.suffix(3) == ["a", "b", "an error"])
      let wideRuns = try await table("bs", "wide", in: namespace)
      #expect(wideRuns.header.suffix(4) == ["SOURCE", "DESTINATION", "JOB", "ERROR"])
      #expect(wideRuns.row.suffix(4) == ["a", "b", "full", "an error"])
    }
  }

  /// Header and first row of what `kubectl get` prints; columns are at least two blanks apart, or three in the header.
  private func table(
    _ resource: String,
    _ format: String = "",
    in namespace: String
  ) async throws -> (header: [String], row: [String]) {
    let text = try await Kubectl.output("get", resource, "--namespace", namespace, "--output=\(format)")
    let lines = text.split(separator: "\n").map { line in
      line.split(separator: "  ").map { $0.trimmingPrefix(" ") }.map { $0.split(separator: " ").joined(separator: " ") }
        .filter { !$0.isEmpty }
    }
    try #require(lines.count == 2, "\(text)")
    return (lines[0], lines[1])
  }

  @Test("a category lists both kinds, and kubectl wait and explain know them")
  func kubectl() async throws {
    try await withNamespace { client, namespace in
      var policy = FullObjects.policy
      var run = FullObjects.run
      policy.metadata.namespace = namespace
      run.metadata.namespace = namespace
      _ = try await client.create(policy)
      _ = try await client.create(run)
      try await replaceStatus(of: "bs/full", in: namespace, by: try JSONValue(encoding: run.status))
      let names = try await Kubectl.output("get", "bucket-sync", "--namespace", namespace, "--output=name")
      #expect(
        names.split(separator: "\n").sorted() == [
          "bucketsync.\(BucketSyncNames.group)/full", "bucketsyncpolicy.\(BucketSyncNames.group)/full",
        ]
      )
      _ = try await Kubectl.output("wait", "--for=condition=Complete", "bs/full", "--namespace", namespace)
      let explanation = try await Kubectl.output("explain", "bsp.spec.sourceEnv.valueFrom.secretKeyRef.key")
      #expect(explanation.contains("The key whose value is taken."))
    }
  }

  @Test("servers that know CEL keep the spec of a run as it was made")
  func immutable() async throws {
    guard try await Kubectl.serverMinorVersion() >= 25 else { return }
    try await withNamespace { client, namespace in
      var run = FullObjects.run
      run.metadata.namespace = namespace
      _ = try await client.create(run)
      let outcome = try await Kubectl.run(
        "patch",
        "bs/full",
        "--namespace",
        namespace,
        "--type=merge",
        #"--patch={"spec":{"source":"other"}}"#
      )
      #expect(!outcome.succeeded)
      #expect(outcome.errors.contains("the spec of a BucketSync never changes"), "\(outcome.errors)")
    }
  }
}

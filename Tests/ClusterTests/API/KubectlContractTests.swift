import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import TestSupport
import Testing

@testable import KubernetesClient

/// What people do with kubectl all day.
@Suite("kubectl", .serialized, .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct KubectlContractTests {
  /// Runs `body` with a namespace, and a function that runs kubectl in it and returns what it prints.
  private func withNamespace(
    _ body: (KubernetesClient, String, @Sendable ([String], String) async throws -> String) async throws -> Void
  ) async throws {
    try await CustomResources.install()
    try await Cluster.withNamespace { client, namespace in
      try await body(client, namespace) { arguments, input in
        try await Kubectl.output(arguments: ["--namespace", namespace] + arguments, input: input)
      }
    }
  }

  private func policy(_ spec: String) -> String {
    """
    apiVersion: bucket-sync.homelab-helper.benfiola.com/v1
    kind: BucketSyncPolicy
    metadata: {name: photos, labels: {app: photos}}
    spec: {source: photos, destination: backup, \(spec)}
    """
  }

  @Test("apply creates, changes, leaves alone what did not change, and removes what is no more in the file")
  func apply() async throws {
    try await withNamespace { client, namespace, kubectl in
      let first = policy("schedule: '@daily', suspend: true, jobLabels: {a: b, c: d}")
      #expect(try await kubectl(["apply", "-f", "-"], first).hasSuffix("photos created\n"))
      #expect(try await kubectl(["apply", "-f", "-"], first).hasSuffix("photos unchanged\n"))
      let second = policy("schedule: '@hourly', jobLabels: {a: b}")
      #expect(try await kubectl(["apply", "-f", "-"], second).hasSuffix("photos configured\n"))
      let stored = try await client.get(BucketSyncPolicy.resource, ObjectKey(namespace: namespace, name: "photos"))
      #expect(
        stored["spec"] == [
          "source": "photos", "destination": "backup", "schedule": "@hourly", "jobLabels": ["a": "b"],
        ])
      #expect(stored["metadata"]["generation"] == 2)
      #expect(try await kubectl(["diff", "-f", "-"], second) == "")
    }
  }

  @Test("annotate, label, patch and replace change what they say")
  func changes() async throws {
    try await withNamespace { client, namespace, kubectl in
      _ = try await kubectl(["create", "-f", "-"], policy("schedule: '@daily'"))
      _ = try await kubectl(["annotate", "bsp", "photos", "example.com/note=yes"], "")
      _ = try await kubectl(["label", "bsp", "photos", "app=other", "--overwrite"], "")
      _ = try await kubectl(["patch", "bsp/photos", "--type=merge", #"--patch={"spec":{"suspend":true}}"#], "")
      let steps = #"--patch=[{"op":"replace","path":"/spec/schedule","value":"@weekly"}]"#
      _ = try await kubectl(["patch", "bsp/photos", "--type=json", steps], "")
      let key = ObjectKey(namespace: namespace, name: "photos")
      let stored = try await client.get(BucketSyncPolicy.resource, key)
      #expect(stored["metadata"]["annotations"]["example.com/note"] == "yes")
      #expect(stored["metadata"]["labels"] == ["app": "other"])
      #expect(stored["spec"]["suspend"] == true)
      #expect(stored["spec"]["schedule"] == "@weekly")
      _ = try await kubectl(["annotate", "bsp", "photos", "example.com/note-"], "")
      _ = try await kubectl(["replace", "-f", "-"], policy("schedule: '@daily'"))
      let replaced = try await client.get(BucketSyncPolicy.resource, key)
      #expect(replaced["spec"] == ["source": "photos", "destination": "backup", "schedule": "@daily"])
      #expect(replaced["metadata"]["annotations"].isNull)

      _ = try await kubectl(["create", "configmap", "map", "--from-literal=x=1"], "")
      _ = try await kubectl(["patch", "configmap", "map", #"--patch={"data":{"y":"2"}}"#], "")
      #expect(try await kubectl(["get", "configmap", "map", "--output=jsonpath={.data}"], "") == #"{"x":"1","y":"2"}"#)
    }
  }

  @Test("create makes namespaces, Secrets, ConfigMaps and Jobs, whatever form kubectl sends them in")
  func create() async throws {
    try await withNamespace { client, namespace, kubectl in
      _ = try await kubectl(
        ["create", "secret", "generic", "keys", "--from-literal=id=geheim", "--from-literal=n="], "")
      _ = try await kubectl(["create", "configmap", "map", "--from-literal=a=b c"], "")
      let command = ["rclone", "sync", "source:a", "destination:b"]
      _ = try await kubectl(["create", "job", "sync", "--image=none", "--"] + command, "")
      let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")
      let secret = try await client.get(secrets, ObjectKey(namespace: namespace, name: "keys"))
      #expect(secret["data"] == ["id": "Z2VoZWlt", "n": ""])
      #expect(secret["type"] == "Opaque")
      let map = try await client.get(ConfigMap.resource, ObjectKey(namespace: namespace, name: "map"))
      #expect(map["data"] == ["a": "b c"])
      let job = try await client.get(Job.resource, ObjectKey(namespace: namespace, name: "sync"))
      let spec = job["spec"]["template"]["spec"]
      #expect(spec["restartPolicy"] == "Never")
      #expect(spec["containers"][0]["name"] == "sync")
      #expect(spec["containers"][0]["image"] == "none")
      #expect(spec["containers"][0]["command"] == .array(command.map { .string($0) }))
      let other = "other-\(namespace)"
      _ = try await kubectl(["create", "namespace", other], "")
      #expect(try await kubectl(["get", "namespace", other, "--output=jsonpath={.status.phase}"], "") == "Active")
      _ = try await kubectl(["delete", "namespace", other, "--wait=false"], "")
    }
  }

  @Test("get prints tables of every type, by label and name, and in other forms")
  func tables() async throws {
    try await withNamespace { client, namespace, kubectl in
      try await Cluster.waitForServiceAccount(client, namespace)
      _ = try await kubectl(["create", "secret", "generic", "keys", "--from-literal=id=1"], "")
      _ = try await kubectl(["create", "configmap", "map", "--from-literal=a=b"], "")
      let pod: JSONValue = [
        "metadata": ["name": "still"],
        "spec": [
          "schedulerName": "none", "automountServiceAccountToken": false,
          "containers": [["name": "c", "image": "none"]],
        ],
      ]
      _ = try await client.create(pod, of: Pod.resource, namespace: namespace)
      func words(_ arguments: String...) async throws -> [[String]] {
        try await kubectl(["get"] + arguments, "").split(separator: "\n").map { line in
          line.split(separator: " ").map(String.init)
        }
      }
      let secret = try await words("secret", "keys")
      #expect(secret[0] == ["NAME", "TYPE", "DATA", "AGE"])
      #expect(secret[1].prefix(3) == ["keys", "Opaque", "1"])
      let map = try await words("configmap", "map")
      #expect(map[0] == ["NAME", "DATA", "AGE"])
      #expect(map[1].prefix(2) == ["map", "1"])
      let pods = try await words("pods")
      #expect(pods[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"])
      #expect(pods[1].prefix(4) == ["still", "0/1", "Pending", "0"])
      let namespaces = try await words("namespaces", namespace)
      #expect(namespaces[0] == ["NAME", "STATUS", "AGE"])
      #expect(namespaces[1].prefix(2) == [namespace, "Active"])
      #expect(try await words("pods", "--output=wide")[0].contains("NODE"))
      #expect(try await kubectl(["get", "pods", "--output=name"], "") == "pod/still\n")
      #expect(try await kubectl(["get", "all", "--output=name"], "") == "pod/still\n")
      #expect(try await kubectl(["get", "pod", "still", "--output=jsonpath={.status.phase}"], "") == "Pending")
      #expect(try await kubectl(["get", "pod/still", "--output=yaml"], "").contains("name: still"))
      let none = try await Kubectl.run("get", "configmap", "none", "--namespace", namespace)
      #expect(!none.succeeded)
      #expect(none.errors == "Error from server (NotFound): configmaps \"none\" not found\n")
    }
  }

  @Test("describe tells of an object and of its Events")
  func describe() async throws {
    try await withNamespace { client, namespace, kubectl in
      _ = try await kubectl(["create", "-f", "-"], policy("schedule: '@daily'"))
      _ = try await kubectl(["create", "secret", "generic", "keys", "--from-literal=id=geheim"], "")
      _ = try await kubectl(["create", "job", "sync", "--image=none"], "")
      let key = ObjectKey(namespace: namespace, name: "photos")
      let stored = try await client.get(BucketSyncPolicy.self, key)
      let event: JSONValue = [
        "metadata": ["name": "photos.1"], "reason": "Tested", "note": "as it should be", "type": "Normal",
        "action": "Test", "reportingController": "example.com/test", "reportingInstance": "test-0",
        "eventTime": "2024-01-15T02:00:00.000000Z", "regarding": try JSONValue(encoding: stored.reference),
      ]
      _ = try await client.create(
        event, of: ResourceType(group: "events.k8s.io", version: "v1", kind: "Event", plural: "events"),
        namespace: namespace)
      let policy = try await kubectl(["describe", "bsp", "photos"], "")
      #expect(policy.contains("@daily"))
      #expect(policy.contains("Tested") && policy.contains("as it should be"))
      let secret = try await kubectl(["describe", "secret", "keys"], "")
      #expect(secret.contains("id:  6 bytes"))
      #expect(try await kubectl(["describe", "job", "sync"], "").contains("Image:"))
      let events = try await kubectl(["get", "events", "--field-selector=involvedObject.name=photos"], "")
      #expect(events.contains("bucketsyncpolicy/photos"))
    }
  }

  @Test("wait waits for conditions, fields and the end")
  func wait() async throws {
    try await withNamespace { client, namespace, kubectl in
      _ = try await kubectl(["create", "-f", "-"], policy("schedule: '@daily'"))
      let key = ObjectKey(namespace: namespace, name: "photos")
      async let ready = kubectl(["wait", "--for=condition=Ready", "bsp/photos", "--timeout=60s"], "")
      async let active = kubectl(["wait", "--for=jsonpath={.status.active}=1", "bsp/photos", "--timeout=60s"], "")
      let status: JSONValue = [
        "active": 1,
        "conditions": [
          [
            "type": "Ready", "status": "True", "reason": "Tested", "message": "as it should be",
            "lastTransitionTime": "2024-01-15T02:00:00Z",
          ]
        ],
      ]
      _ = try await client.patch(
        BucketSyncPolicy.resource, key, .merge(["status": status]), subresource: .status)
      let met = try await [ready, active]
      #expect(met.allSatisfy { $0.contains("condition met") })
      async let deleted = kubectl(["wait", "--for=delete", "bsp/photos", "--timeout=60s"], "")
      _ = try await kubectl(["delete", "bsp", "photos"], "")
      // Already gone, or seen going: either is right.
      let end = try await deleted
      #expect(end.isEmpty || end.contains("condition met"))
      #expect(try await kubectl(["get", "bsp", "--output=name"], "") == "")
    }
  }

  @Test("delete takes names, labels and all, and leaves orphans if asked to")
  func delete() async throws {
    try await withNamespace { client, namespace, kubectl in
      for name in ["a", "b", "c"] {
        _ = try await kubectl(["create", "configmap", name], "")
        _ = try await kubectl(["label", "configmap", name, "n=\(name)"], "")
      }
      let owner = try await client.get(ConfigMap.self, ObjectKey(namespace: namespace, name: "a"))
      let references = try JSONValue(encoding: [owner.controllerReference()])
      _ = try await client.patch(
        ConfigMap.resource, ObjectKey(namespace: namespace, name: "b"),
        .merge(["metadata": ["ownerReferences": references]]))
      _ = try await kubectl(["delete", "configmap", "a", "--cascade=orphan"], "")
      let orphan = try await client.get(ConfigMap.resource, ObjectKey(namespace: namespace, name: "b"))
      #expect(orphan["metadata"]["ownerReferences"].isNull)
      _ = try await kubectl(["delete", "configmap", "-l", "n=b"], "")
      #expect(try await kubectl(["get", "configmap", "-l", "n", "--output=name"], "") == "configmap/c\n")
      _ = try await kubectl(["delete", "configmap", "c", "--cascade=foreground"], "")
      #expect(try await kubectl(["get", "configmap", "-l", "n", "--output=name"], "") == "")
      // Of a type that the server itself keeps nothing of: kubectl would wait for what comes back at once.
      _ = try await kubectl(["create", "-f", "-"], policy("schedule: '@daily'"))
      _ = try await kubectl(["delete", "bsp", "--all"], "")
      #expect(try await kubectl(["get", "bsp", "--output=name"], "") == "")
    }
  }

  @Test("what is served, and what one may do, can be asked for")
  func discovery() async throws {
    try await withNamespace { _, _, kubectl in
      let resources = try await kubectl(["api-resources", "--categories=bucket-sync", "--output=name"], "")
      #expect(
        Set(resources.split(separator: "\n"))
          == ["bucketsyncpolicies.\(BucketSyncNames.group)", "bucketsyncs.\(BucketSyncNames.group)"])
      #expect(try await kubectl(["auth", "can-i", "create", "bucketsyncs"], "") == "yes\n")
      #expect(try await kubectl(["get", "--raw", "/readyz"], "") == "ok")
      #expect(try await kubectl(["explain", "bsp.spec.schedule"], "").contains("@every 90m"))
    }
  }

  @Test("standalone says why it does not apply on its side", .enabled(if: Cluster.isStandalone))
  func serverSide() async throws {
    let outcome = try await Kubectl.run("apply", "--server-side", "-f", "-", input: policy("schedule: '@daily'"))
    #expect(!outcome.succeeded)
    #expect(outcome.errors.contains("apply without --server-side"))
  }

  @Test("a field that no schema knows is refused by name", .enabled(if: Cluster.isStandalone))
  func strict() async throws {
    let outcome = try await Kubectl.run("apply", "-f", "-", input: policy("shedule: '@daily'"))
    #expect(!outcome.succeeded)
    #expect(outcome.errors.contains(#"unknown field "spec.shedule""#))
  }
}

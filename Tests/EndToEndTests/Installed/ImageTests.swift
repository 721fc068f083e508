// The image does its work in a pod that may do next to nothing.

import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import SystemPackage
import Testing

@Suite("What the image does", .enabled(if: OperatorImage.canBeImported), .explained)
struct ImageTests {
  @Test func itsArgumentsAreThoseOfTheCommand() async throws {
    try await World.run { world in
      try await OperatorImage.imported.value
      try await world.kubectl("create", "-f", "-", input: OperatorImage.pod("help", ["bucket-sync", "--help"]))
      try await world.kubectl("create", "-f", "-", input: OperatorImage.pod("version", ["version"]))
      try await world.kubectl("create", "-f", "-", input: OperatorImage.pod("wrong", ["bucket-sync"]))
      for (name, phase) in [("help", "Succeeded"), ("version", "Succeeded"), ("wrong", "Failed")] {
        try await world.wait(for: Pod.self, name, "has \(phase)") { $0.status?.phase == phase }
      }
      #expect(try await world.kubectl("logs", "help").contains("--leader-election"))
      #expect(try await world.kubectl("logs", "wrong").contains("--namespace"))
      let version = try await Program.run(Testbed.executable, ["version"])
      #expect(try await world.kubectl("logs", "version") == version.output)
    }
  }

  @Test func aControllerInAPodUsesItsServiceAccountAndSyncs() async throws {
    try await World.run { world in
      try await OperatorImage.imported.value
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      for number in 0..<20 { try source.write("folder \(number % 3)/object-\(number)", "content \(number)") }
      // What exactly it needs is the chart's subject. Here it may do what it likes, in its own namespace only.
      try await world.kubectl(
        "create", "rolebinding", "operator", "--clusterrole=cluster-admin",
        "--serviceaccount=\(world.namespace):default")
      try await world.kubectl("create", "-f", "-", input: Self.controller(world))
      try await world.kubectl("wait", "--for=condition=Ready", "--timeout=120s", "pod/operator")
      async let log = world.kubectl("logs", "--follow", "operator")

      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      #expect(try destination.objects() == source.objects())

      let shell = try await world.kubectl.attempt(["exec", "operator", "--", "/bin/sh", "-c", "true"])
      #expect(shell.code != 0 && shell.errors.contains("no such file"), "\(shell.errors)")

      // It ends in good order when Kubernetes asks it to.
      try await world.kubectl("delete", "pod", "operator", "--wait=false")
      try await log.write(toFile: world.log.string, atomically: true, encoding: .utf8)
      #expect(world.logText.contains("ended in good order"))
    }
  }

  private static func controller(_ world: World) -> String {
    OperatorImage.pod(
      "operator", ["bucket-sync", "--watch-namespaces", world.namespace],
      container: """
        env:
        - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        - {name: RCLONE_IMAGE, value: "\(Testbed.environment["RCLONE_IMAGE"] ?? "")"}
        readinessProbe: {httpGet: {path: /readyz, port: 8081}, periodSeconds: 1}
        livenessProbe: {httpGet: {path: /healthz, port: 8081}}
        """)
  }
}

// The command itself: what it says, and its exit code, when it is used in a wrong way or finds things not as they
// should be.

import FoundationEssentials
import KubernetesModel
import SystemPackage
import Testing

@Suite("What the command says", .enabled(if: Testbed.isEnabled), .explained)
struct CommandTests {
  @Test(arguments: [
    (arguments: ["--no-such-flag"], words: "no-such-flag"),
    (arguments: [], words: "--namespace"),
    (arguments: ["--namespace", "Not_A_Name"], words: "Not_A_Name"),
    (arguments: ["--namespace", "a", "--kubeconfig", "/no/such/file"], words: "/no/such/file"),
    (arguments: ["--namespace", "a", "--kubeconfig", "/dev/null"], words: "/dev/null"),
    (arguments: ["--namespace", "a", "--health-address", "nowhere:at:all"], words: "nowhere:at:all"),
    (arguments: ["--namespace", "a", "--metrics-address", "99999"], words: "--metrics-address"),
    (arguments: ["--namespace", "a", "--lock-timeout", "soon"], words: "soon"),
    (arguments: ["--namespace", "a", "--lock-timeout=-5m"], words: "must not be negative"),
    (arguments: ["--namespace", "a", "--leader-election-id", "No Lease"], words: "No Lease"),
    (arguments: ["--namespace", "a", "--hooks-memory", "1k"], words: "between 1Mi and 1Gi"),
    (arguments: ["--namespace", "a", "--rclone-image-pull-policy", "Sometimes"], words: "Sometimes"),
  ])
  func wrongUseIsExplainedAndFails(arguments: [String], words: String) async throws {
    let result = try await Program.run(
      Testbed.executable,
      ["bucket-sync"] + arguments,
      environment: ["KUBECONFIG": Testbed.kubeconfig]
    )
    #expect(result.code > 0)
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count <= 4, "\(result.errors)")
    #expect(!result.errors.contains("Fatal error"))
  }

  @Test func helpTeachesAndTheVersionIsTold() async throws {
    let help = try await Program.run(Testbed.executable, ["bucket-sync", "--help"])
    #expect(help.code == 0)
    for word in [
      "--health-address", "HEALTH_ADDRESS", ":8081", "--metrics-address", "--leader-election", "--namespace",
      "--kubeconfig", "LOG_LEVEL", "sync-now",
    ] { #expect(help.output.contains(word), "\(word)") }
    let version = try await Program.run(Testbed.executable, ["version"])
    #expect(version.code == 0)
    #expect(version.output.hasPrefix("homelab-helper "))
  }

  @Test func anAddressInUseIsNamed() async throws {
    try await World.run { world in
      let first = try await world.startController()
      // Many times: it exits while its first connections are being made, at another point each time.
      for _ in 0..<20 {
        let result = try await Program.run(
          Testbed.executable,
          [
            "bucket-sync", "--namespace", world.namespace, "--watch-namespaces", world.namespace,
            "--health-address", "127.0.0.1:\(first.healthPort)", "--metrics-address", "127.0.0.1:0",
          ],
          environment: ["KUBECONFIG": Testbed.kubeconfig]
        )
        #expect(result.code > 0)
        #expect(result.errors.contains("127.0.0.1:\(first.healthPort)"), "\(result.errors)")
      }
    }
  }

  @Test func anUnreachableAPIServerIsWaitedFor() async throws {
    try await World.run { world in
      let proxy = try APIProxy(world)
      let controller = try await world.startController("--kubeconfig", proxy.kubeconfig, waitUntilReady: false)
      try await until("the controller says what it waits for") { world.logText.contains("127.0.0.1:\(proxy.port)") }
      #expect(await !controller.isReady())
      #expect(!controller.process.hasEndedByItself)
      try await proxy.start()
      try await until("the controller is ready") { await controller.isReady() }
      await controller.crash()
      await proxy.stop()
    }
  }

  @Test func missingDefinitionsAreNamed() async throws {
    try await World.run { world in
      // An address at which the API server knows no resource at all.
      let own = try String(contentsOfFile: Testbed.kubeconfig, encoding: .utf8)
      let elsewhere = own.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        line.contains("server: ") ? "\(line)/nothing" : String(line)
      }
      let kubeconfig = try world.write(kubeconfig: elsewhere.joined(separator: "\n"))
      let controller = try await world.startController("--kubeconfig", kubeconfig, waitUntilReady: false)
      try await until("the controller says what is missing") {
        let text = world.logText
        return text.contains("custom resource definitions") && text.contains("bucketsyncpolicies")
      }
      #expect(await !controller.isReady())
      await controller.crash()
    }
  }

  @Test func missingRightsAreNamedAndWaitedFor() async throws {
    try await World.run { world in
      try await until("the namespace has a token") {
        try await world.kubectl("get", "secrets", "--output", "name").contains("token")
      }
      let name = try await world.kubectl(
        "get",
        "secrets",
        "--output",
        "jsonpath={.items[?(@.type==\"kubernetes.io/service-account-token\")].metadata.name}"
      )
      let token = try await world.kubectl(
        "get",
        "secret",
        name,
        "--output",
        "go-template={{.data.token | base64decode}}"
      )
      let server = try await world.kubectl(
        "config",
        "view",
        "--minify",
        "--output",
        "jsonpath={.clusters[0].cluster.server}"
      )
      let kubeconfig = try world.write(
        kubeconfig: """
          apiVersion: v1
          kind: Config
          current-context: pod
          contexts: [{name: pod, context: {cluster: testbed, user: pod}}]
          clusters: [{name: testbed, cluster: {server: "\(server)", insecure-skip-tls-verify: true}}]
          users: [{name: pod, user: {token: "\(token)"}}]
          """
      )
      let controller = try await world.startController("--kubeconfig", kubeconfig, waitUntilReady: false)
      try await until("the controller says what it may not do") { world.logText.contains("forbidden") }
      #expect(await !controller.isReady())
      #expect(!controller.process.hasEndedByItself)
      #expect(!world.logText.contains(token))
      try await world.kubectl(
        "create",
        "rolebinding",
        "all",
        "--clusterrole=cluster-admin",
        "--serviceaccount=\(world.namespace):default"
      )
      try await until("the controller is ready") { await controller.isReady() }
    }
  }
}

// One test's world: a namespace, buckets and controllers of its own. Start here to understand the tests.
//
//     try await World.run { world in
//       let source = try await world.bucket("from", at: "A")
//       let destination = try await world.bucket("to", at: "B")
//       try source.write("a.txt", "hello")
//       try await world.startController()
//       try await world.create(world.run("once", from: source, to: destination))
//       try await world.success(of: "once")
//       #expect(try destination.objects() == source.objects())
//     }
//
// When the body has returned, what must be true after every test (see Invariants) is checked. Whatever happens, controllers,
// endpoints, buckets and the namespace are gone in the end. What the controllers have logged stays in
// .build/debug/end-to-end/, and is printed when the test has failed.

import BucketSyncAPI
import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Synchronization
import SystemPackage
import Testing

/// The surroundings of one test.
final class World: Sendable {
  let namespace: String
  let client: KubernetesClient
  let kubectl: Kubectl
  let history = History()
  let directory: FilePath

  private struct Belongings {
    var buckets: [Bucket] = []
    var controllers: [Controller] = []
    var endpoints: [HoldableEndpoint] = []
    var namespaces: [String] = []
  }
  private let belongings = Mutex(Belongings())

  /// The world of the test that runs.
  @TaskLocal fileprivate static var current: World?
  fileprivate let failed = Mutex(false)
  /// Whether an expectation of the test has failed.
  var hasFailed: Bool { failed.withLock(\.self) }

  private init(namespace: String, client: KubernetesClient, directory: FilePath) {
    self.namespace = namespace
    self.client = client
    kubectl = Kubectl(namespace: namespace)
    self.directory = directory
  }

  /// Everything that was started here, in order.
  var controllers: [Controller] { belongings.withLock(\.controllers) }

  /// Everything that was made here.
  var buckets: [Bucket] { belongings.withLock(\.buckets) }

  /// What the controllers have logged.
  var logText: String { (try? String(contentsOfFile: log.string, encoding: .utf8)) ?? "" }

  /// The log of all the controllers of this test.
  var log: FilePath { directory.appending("controller.log") }

  /// Gives `body` a world, checks the invariants, and cleans up.
  static func run(
    _ checks: Invariants = .all,
    _ body: @Sendable (World) async throws -> Void
  ) async throws {
    try await Slots.worlds.enter {
      try await Installation.ready.value
      let name = "e2e-" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36)
      let test = Test.current?.name.prefix { $0 != "(" } ?? "?"
      let directory = Testbed.logs.appending("\(test)-\(name)")
      try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
      let world = World(namespace: name, client: try Installation.client(), directory: directory)
      _ = try await world.client.create(Namespace(metadata: ObjectMeta(name: name)))
      let recording = Task { await world.history.record(world.client, namespace: name) }
      defer { recording.cancel() }
      do {
        try await until("namespace \(name) can have pods") {
          try await world.kubectl("get", "serviceaccount", "--output", "name").contains("default")
        }
        try await $current.withValue(world) {
          try await body(world)
          try await checks.verify(world)
        }
        if world.hasFailed { print(await world.account(of: nil)) }
        await world.leave()
      } catch {
        print(await world.account(of: error))
        await world.leave()
        throw error
      }
    }
  }

  /// Has the controller ended with the test.
  func keep(_ controller: Controller) -> Controller {
    belongings.withLock { $0.controllers.append(controller) }
    return controller
  }

  /// Has the endpoint ended with the test.
  func keep(_ endpoint: HoldableEndpoint) -> HoldableEndpoint {
    belongings.withLock { $0.endpoints.append(endpoint) }
    return endpoint
  }

  /// Has the bucket deleted with the test.
  func keep(_ bucket: Bucket) -> Bucket {
    belongings.withLock { $0.buckets.append(bucket) }
    return bucket
  }

  /// Makes a second namespace, for what an installation keeps apart; its name begins with the first one's.
  func makeNamespace(_ name: String) async throws {
    belongings.withLock { $0.namespaces.append(name) }
    _ = try await client.create(Namespace(metadata: ObjectMeta(name: name)))
  }

  /// Ends everything that the test started.
  private func leave() async {
    let belongings = belongings.withLock(\.self)
    for controller in belongings.controllers { await controller.crash() }
    for endpoint in belongings.endpoints { await endpoint.kill() }
    for bucket in belongings.buckets { bucket.delete() }
    // Nobody is left to take the finalizers off.
    for run in (try? await client.list(BucketSync.self, namespace: namespace))?.items ?? [] {
      let patch: JSONValue = ["metadata": ["finalizers": nil]]
      _ = try? await client.patch(BucketSync.self, run.key, .merge(patch))
    }
    for name in belongings.namespaces + [namespace] {
      try? await client.delete(Namespace.self, ObjectKey(namespace: nil, name: name))
    }
  }

  /// What a developer wants to see of a failed test.
  private func account(of error: (any Error)?) async -> String {
    let objects =
      (try? await kubectl(
        "get",
        "bucketsyncpolicies,bucketsyncs,jobs,pods,configmaps,events",
        "--output",
        "wide"
      ))
      ?? ""
    let runs = (try? await kubectl("get", "bucketsyncs", "--output", "yaml")) ?? ""
    let lines = logText.split(separator: "\n").suffix(60)
    return """
      ── \(Test.current?.name ?? namespace) failed: \(error.map { "\($0)" } ?? "see its issues")
      \(objects)
      \(runs)
      ── the end of \(log):
      \(lines.joined(separator: "\n"))
      ──
      """
  }
}

extension Trait where Self == IssueHandlingTrait {
  /// Has the world printed when an expectation of the test has failed.
  static var explained: Self {
    .compactMapIssues { issue in
      World.current?.failed.withLock { $0 = true }
      return issue
    }
  }
}

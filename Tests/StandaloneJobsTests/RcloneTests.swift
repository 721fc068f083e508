// The real rclone, in the Jobs that the operator's own plugin builds, and read by it.

import BucketLock
import BucketSyncAPI
import BucketSyncCore
import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import RcloneJob
import StandaloneJobs
import TestSupport
import Testing

/// The folder of the rclone that the tests use, if it is there.
private let rcloneFolder: String? = {
  let home = getenv("HOME").map { String(cString: $0) } ?? ""
  let folders =
    ["\(home)/.cache/bucket-sync/python/bin"]
    + (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map(String.init)
  return folders.first { access("\($0)/rclone", X_OK) == 0 }
}()

@Suite("rclone as a process", .aFewAtATime, .timeLimit(.minutes(5)), .enabled(if: rcloneFolder != nil))
struct RcloneTests {
  let world: LocalWorld

  init() throws {
    world = try LocalWorld()
    for bucket in ["photos", "backup"] { try world.folder.makeFolder(bucket) }
    for number in 1...20 { try world.folder.write("photos/\(number).txt", "content \(number)") }
  }

  private let plugin = RcloneJob(image: "rclone/rclone:1.69", imagePullPolicy: nil)

  /// Creates the Job of a run between two folders, as plugin and core make it.
  private func create(source: String = "photos", secret: String? = nil, timeout: String? = nil) async throws {
    let variables = [EnvVar(name: "TYPE", value: "alias"), EnvVar(name: "REMOTE", value: world.folder.path)]
    let missing = secret.map {
      [EnvVar(name: "PASS", valueFrom: ["secretKeyRef": ["name": .string($0), "key": "password"]])]
    }
    // The Job's owner: without one it would be garbage.
    let stored = try world.server.create(
      BucketSync(
        metadata: ObjectMeta(name: "nightly", namespace: "default"),
        spec: BucketSync.Spec(
          source: source, destination: "backup", sourceEnv: variables + (missing ?? []), destinationEnv: variables,
          timeout: timeout)))
    let run = RunContext(
      run: stored, source: try BucketPath(source, field: .source),
      destination: try BucketPath("backup", field: .destination))
    let time = SystemTime()
    let client = KubernetesClient(transport: world.server, time: time)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let metrics = MetricsRegistry()
    let events = EventDelivery(
      client: client, controller: "test", instance: "test", time: time, random: .system, logger: logger,
      metrics: metrics)
    let registry = try PluginRegistry(
      [BucketLock(), plugin],
      environment: PluginEnvironment(
        namespace: "default", client: client, time: time, events: events.recorder, signals: LockSignals(),
        metrics: metrics, logger: logger))
    let plan = try await JobPlan.make(run, plugins: registry, recordedName: "nightly")
    try world.server.create(Job.self, plan.manifest.json, namespace: "default")
  }

  private func start(places: Int = 4, path: String = "\(rcloneFolder ?? ""):/usr/bin:/bin") throws -> TestOperator {
    try world.start(places: places, environment: ["PATH": path, "HOME": world.folder.path])
  }

  /// What the operator makes of the Job.
  private var assessment: JobAssessment? {
    world.job("nightly").map { plugin.assess($0, pods: world.pods(of: "nightly")) }
  }

  @Test("it syncs, warns of nothing, and leaves nothing behind")
  func sync() async throws {
    try await start().run {
      try await create()
      try await world.untilEnded("nightly")
      #expect(assessment == .ended(.succeeded))
      for number in 1...20 { #expect(world.text("backup/\(number).txt") == "content \(number)") }
    }
    #expect(
      world.server.all(Event.self).map(\.reason).sorted { ($0 ?? "") < ($1 ?? "") } == [
        "Completed", "SuccessfulCreate",
      ])
    let left = try FileManager.default.contentsOfDirectory(atPath: world.folder.path)
    #expect(Set(left) == ["state", "photos", "backup"])
  }

  @Test("why it failed is read from its log")
  func failure() async throws {
    try await start().run {
      try await create(source: "nowhere")
      try await world.untilEnded("nightly")
      guard case .ended(.failed(let reason, let message)) = assessment else {
        Issue.record("no failure: \(String(describing: assessment))")
        return
      }
      #expect(reason == "BucketNotFound" && message.contains("directory not found"), "\(reason): \(message)")
    }
  }

  @Test("a machine without rclone is told so")
  func noProgram() async throws {
    try await start(path: "/nonexistent").run {
      try await create()
      try await world.untilEnded("nightly")
      guard case .ended(.failed(let reason, let message)) = assessment else {
        Issue.record("no failure: \(String(describing: assessment))")
        return
      }
      #expect(reason == "StartError")
      #expect(
        message.hasPrefix(
          "rclone could not be started: exec: \"rclone\": executable file not found in $PATH (searched: /nonexistent)"))
    }
  }

  @Test("a missing Secret is told as in a cluster")
  func noSecret() async throws {
    try await start().run {
      try await create(secret: "garage")
      try await eventually("complaint") {
        assessment
          == .pending(
            reason: "CreateContainerConfigError",
            message: """
              secret "garage" not found; create it in namespace "default", or correct spec.sourceEnv or spec.destinationEnv
              """)
      }
    }
  }

  @Test("one that did not get a place within its time limit has not even started")
  func noPlace() async throws {
    try await start(places: 1).run {
      try world.run("exec sleep 600", name: "first")
      try await world.untilRunning("first")
      try await create(timeout: "1s")
      try await world.untilEnded("nightly")
      guard case .ended(.failed(let reason, let message)) = assessment else {
        Issue.record("no failure: \(String(describing: assessment))")
        return
      }
      #expect(reason == "DeadlineExceeded" && message.hasPrefix("the pod had not even started"), "\(message)")
    }
  }
}

// The plugin as the operator has it: registered beside the other built-in ones, asked through the core's registry.

import BucketLock
import BucketSyncAPI
import BucketSyncCore
import KubernetesClient
import KubernetesModel
import Logging
import LuaHooks
import LuaSandbox
import RcloneJob
import Synchronization
import TestSupport

@testable import OperatorRuntime

/// An operator's plugins, with scripts among them, and what becomes known of what they do.
struct ScriptedOperator: Sendable {
  let registry: PluginRegistry
  let events: EventBuffer
  let metrics = MetricsRegistry()
  let log = Log()
  let wakeUps = WakeUps()

  /// Reads the scripts in `folder`.
  /// - Throws: What is wrong with them.
  init(_ folder: String, onError: LuaHooks.OnError = .fail, limits: LuaLimits = LuaLimits()) throws {
    let time = SystemTime()
    let server = InMemoryAPIServer(time: ManualTime())
    let events = EventBuffer(metrics: metrics)
    let signals = LockSignals()
    signals.onSignal { [wakeUps] in if $0 == .hooksChanged { wakeUps.add() } }
    var logging = LogSettings()
    logging.level = .debug
    self.events = events
    registry = try PluginRegistry(
      [
        BucketLock(), RcloneJob(image: "rclone:test", imagePullPolicy: nil),
        LuaHooks(folder: folder, onError: onError, limits: limits),
      ],
      environment: PluginEnvironment(
        namespace: "bucket-sync-system",
        client: KubernetesClient(transport: FaultyConnection(to: server), time: time),
        time: time, events: EventRecorder(buffer: events), signals: signals, metrics: metrics,
        logger: logging.logger(label: "test", time: time) { [log] in log.append($0) }))
  }

  /// Does what runs beside everything else, the reloading of scripts, for as long as `body` takes.
  func running(_ body: @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup { group in
      for task in registry.backgroundTasks {
        group.addTask {
          do { try await task.hook() } catch is CancellationError {}
        }
      }
      defer { group.cancelAll() }
      try await body()
    }
  }

  // MARK: The points

  func preLock(_ run: RunContext? = nil) async throws -> PreLockResult {
    for entry in registry.preLock {
      let result = try await entry.hook.preLock(run ?? .example())
      if result != .proceed { return result }
    }
    return .proceed
  }

  /// Returns once pre_lock decides so. Reloading takes its time on a busy machine, and each look is a call of scripts.
  func until(_ decision: PreLockResult) async throws {
    try await soon("\(decision)") { try await preLock() == decision }
  }

  /// Returns once `condition` holds.
  func soon(_ what: String, _ condition: @Sendable () async throws -> Bool) async throws {
    try await eventually(what, within: 180) {
      try await Task.sleep(for: .milliseconds(20))
      return try await condition()
    }
  }

  func plan(_ run: RunContext? = nil) async throws -> JobPlan {
    try await JobPlan.make(run ?? .example(), plugins: registry, recordedName: nil)
  }

  /// The arguments of rclone.
  func arguments(_ run: RunContext? = nil) async throws -> [String] {
    (try await plan(run).manifest.podSpec["containers"][0]["args"].array ?? []).compactMap(\.string)
  }

  func postSync(_ outcome: RunOutcome, _ run: RunContext? = nil) async throws -> PostSyncReport {
    var report = PostSyncReport()
    for entry in registry.postSync { report.add(try await entry.hook.postSync(run ?? .example(), outcome: outcome)) }
    return report
  }

  /// The failure that blocks a run, as its status tells it.
  func problem(_ run: RunContext? = nil) async throws -> String? {
    do {
      _ = try await plan(run)
      return nil
    } catch let blocked as BlockedRun {
      return blocked.description
    }
  }

  /// The Events recorded so far that were not asked for yet.
  func newEvents() -> [String] {
    var notes: [String] = []
    while let occurrence = events.popFirst() {
      notes.append("\(occurrence.type.rawValue) \(occurrence.reason): \(occurrence.note)")
      events.settle(delivered: true)
    }
    return notes
  }

  /// What a series shows.
  func metric(_ series: String) -> String? {
    metrics.exposition().split(separator: "\n").first { $0.hasPrefix(series + " ") }?.split(separator: " ").last
      .map(String.init)
  }
}

/// Lines that were logged.
final class Log: Sendable {
  private let lines = Mutex("")

  func append(_ line: String) { lines.withLock { $0 += line } }
  var text: String { lines.withLock { $0 } }
}

/// How often waiting runs were woken.
final class WakeUps: Sendable {
  private let state = Mutex(0)

  func add() { state.withLock { $0 += 1 } }
  var count: Int { state.withLock { $0 } }
}

extension RunContext {
  /// A run of a policy.
  static func example(
    parameters: [String: String] = [:], sourceEnv: [EnvVar] = [], labels: [String: String] = [:]
  ) throws -> RunContext {
    var metadata = ObjectMeta(name: "nightly-1705284000", namespace: "default")
    metadata.uid = "run-uid"
    metadata.creationTimestamp = Timestamp(unixSeconds: 1_705_284_001)
    metadata.annotations = [
      "kubectl.kubernetes.io/last-applied-configuration": sourceEnv.compactMap(\.value).joined()
    ]
    var spec = BucketSync.Spec(source: "data/photos", destination: "backup", sourceEnv: sourceEnv)
    spec.parameters = parameters
    var policy = ObjectMeta(name: "nightly", namespace: "default")
    policy.labels = labels
    return RunContext(
      run: BucketSync(metadata: metadata, spec: spec),
      source: try BucketPath("data/photos", field: .source), destination: try BucketPath("backup", field: .destination),
      policy: BucketSyncPolicy(
        metadata: policy, spec: .init(source: "data/photos", destination: "backup", schedule: "0 2 * * *")),
      scheduledTime: Timestamp(unixSeconds: 1_705_284_000))
  }
}

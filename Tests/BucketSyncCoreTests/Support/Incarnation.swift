// One life of the operator: its caches, plugins, reconcilers and queues, from its start to its death.
//
// The real event handlers fill real queues. What differs from a real process: reconciles run one after the other, in
// an order that never changes, and whoever tests decides when time passes. A restart is a new incarnation.

import BucketLock
import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import RcloneJob
import TestSupport

@testable import BucketSyncCore

/// The operator, alive.
final class Incarnation {
  static let namespace = "bucket-sync-system"

  private enum Kind: String, CaseIterable { case policies = "bucketsyncpolicy", runs = "bucketsync", locks = "lock" }

  private struct Timer: Hashable {
    var kind: Kind
    var key: ObjectKey
  }

  let connection: FaultyConnection
  let services: CoreServices
  /// What the operator has told people.
  let events: EventBuffer
  private let server: InMemoryAPIServer
  private let time: ManualTime
  private let queues: [Kind: WorkQueue<ObjectKey>]
  private let reconcilers: [Kind: (ObjectKey) async throws -> Reconciliation]
  private var timers: [Timer: Duration] = [:]
  private var failures: [Timer: Int] = [:]
  /// Errors that reconciles have ended in, oldest first.
  private(set) var errors: [String] = []

  /// Starts the operator on `server`; whoever was fed before is no more.
  init(
    on server: InMemoryAPIServer, time: ManualTime, plugins: [any Plugin] = [], settings: CoreSettings = CoreSettings(),
    connection: FaultyConnection? = nil
  ) throws {
    let connection = connection ?? FaultyConnection(to: server)
    let metrics = MetricsRegistry()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let client = KubernetesClient(transport: connection, time: time)
    let signals = LockSignals()
    let events = EventBuffer(metrics: metrics)
    let recorder = EventRecorder(buffer: events)
    let registry = try PluginRegistry(
      [BucketLock(), RcloneJob(image: "rclone:test", imagePullPolicy: nil)] + plugins,
      environment: PluginEnvironment(
        namespace: Self.namespace, client: client, time: time, events: recorder, signals: signals,
        metrics: metrics, logger: logger))
    let services = try CoreServices(
      client: client, caches: ClusterCaches(), plugins: registry, events: recorder, time: time, settings: settings,
      metrics: CoreMetrics(metrics), logger: logger)
    var queues: [Kind: WorkQueue<ObjectKey>] = [:]
    _ = Controllers(services, signals: signals, metrics: metrics, concurrency: 1) { name in
      let queue = WorkQueue<ObjectKey>(name: name, time: time, metrics: metrics)
      if let kind = Kind(rawValue: name) { queues[kind] = queue }
      return queue
    }
    self.server = server
    self.time = time
    self.connection = connection
    self.services = services
    self.events = events
    self.queues = queues
    reconcilers = [
      .policies: PolicyReconciler(services).reconcile, .runs: RunReconciler(services).reconcile,
      .locks: LockCleanup(services).reconcile,
    ]
    server.stopFeeding()
    server.feed(services.caches.policies)
    server.feed(services.caches.runs)
    server.feed(services.caches.jobs, labels: ClusterCaches.jobSelector)
    server.feed(services.caches.pods, labels: ClusterCaches.podSelector)
    for cache in registry.caches { _ = cache.sources(Feeder(server: server)) }
  }

  var isDead: Bool { connection.isDead }

  /// When the next timer goes off, on the monotonic clock.
  var nextTimer: Duration? { timers.values.min() }

  /// Reconciles until nothing is left to do now.
  /// - Throws: ``Livelock``.
  func settle() async throws {
    var reconciles = 0
    repeat {
      var isIdle = false
      while !isIdle {
        isIdle = true
        for kind in Kind.allCases {
          for key in await ready(kind) where !isDead {
            isIdle = false
            reconciles += 1
            if reconciles > 500 { throw Livelock(errors: errors.suffix(3)) }
            await reconcile(Timer(kind: kind, key: key))
          }
        }
      }
    } while !isDead && server.deliver()
  }

  /// Puts what has come due into the queues.
  func fireTimers() {
    for (timer, deadline) in timers.sorted(by: { $0.value < $1.value }) where deadline <= time.uptime {
      timers[timer] = nil
      queues[timer.kind]?.add(timer.key)
    }
  }

  /// The keys that wait in a queue: all that come out before a mark that is put in last.
  private func ready(_ kind: Kind) async -> [ObjectKey] {
    guard let queue = queues[kind] else { return [] }
    let mark = ObjectKey(namespace: "mark", name: "mark")
    queue.add(mark)
    var keys: [ObjectKey] = []
    while let key = await queue.next() {
      queue.done(key)
      if key == mark { break }
      keys.append(key)
    }
    return keys
  }

  /// As Controller does it.
  private func reconcile(_ timer: Timer) async {
    do {
      let result = try await reconcilers[timer.kind]?(timer.key)
      failures[timer] = nil
      if case .again(let delay) = result { schedule(timer, after: delay) }
    } catch {
      guard !isDead else { return }
      errors.append("\(timer.kind) \(timer.key): \(error)")
      failures[timer, default: 0] += 1
      let backoff = Backoff(initial: .milliseconds(5), limit: .seconds(300))
      schedule(timer, after: backoff.delay(afterFailures: failures[timer] ?? 1))
    }
  }

  private func schedule(_ timer: Timer, after delay: Duration) {
    let deadline = time.uptime + delay
    timers[timer] = min(timers[timer] ?? deadline, deadline)
  }
}

/// The operator never comes to rest.
struct Livelock: Error, CustomStringConvertible {
  let errors: ArraySlice<String>
  var description: String { "hundreds of reconciles without coming to rest; last errors: \(errors)" }
}

private struct Feeder: CacheSourceFactory {
  let server: InMemoryAPIServer

  func sources<Object: KubernetesObject>(
    of store: ObjectStore<Object>, namespace: String?, labels: String?
  ) -> [any CacheSource] {
    server.feed(store, namespace: namespace, labels: labels)
    return []
  }
}

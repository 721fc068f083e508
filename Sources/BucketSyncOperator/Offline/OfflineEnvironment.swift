// An environment for commands that only look at the plugins: everything is there, but nothing can be reached.

internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

extension PluginEnvironment {
  /// Services for plugins that are registered without a cluster.
  static var offline: PluginEnvironment { offline(time: SystemTime()) }

  /// Services for plugins that are asked without a cluster.
  static func offline(
    time: any TimeSource, logger: Logger = Logger(label: "bucket-sync") { _ in SwiftLogNoOpLogHandler() }
  ) -> PluginEnvironment {
    let client = KubernetesClient(transport: OfflineTransport(), time: time)
    let metrics = MetricsRegistry()
    let events = EventDelivery(
      client: client, controller: "offline", instance: "offline", time: time, random: .system, logger: logger,
      metrics: metrics)
    return PluginEnvironment(
      namespace: "offline", client: client, time: time, events: events.recorder, signals: LockSignals(),
      metrics: metrics, logger: logger)
  }
}

/// A clock that stands still for those who ask what time it is, and runs for those who wait.
struct StoppedTime: TimeSource {
  let now: Date
  private let system = SystemTime()

  init(at time: Timestamp) { now = time.date }

  var uptime: Duration { system.uptime }
  func sleep(for duration: Duration) async throws { try await system.sleep(for: duration) }
}

/// Answers nothing.
private struct OfflineTransport: APITransport {
  private let error = TransportError(.notSent, "this command works without a cluster")

  func send(_ request: APIRequest) async throws -> APIResponse { throw error }
  func stream(_ request: APIRequest) async throws -> APIStream { throw error }
}

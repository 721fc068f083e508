// An environment for commands that only look at the plugins: everything is there, but nothing can be reached.

internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

extension PluginEnvironment {
  /// Services for plugins that are registered without a cluster.
  static var offline: PluginEnvironment {
    let time = SystemTime()
    let client = KubernetesClient(transport: OfflineTransport(), time: time)
    let logger = Logger(label: "bucket-sync") { _ in SwiftLogNoOpLogHandler() }
    let metrics = MetricsRegistry()
    let events = EventDelivery(
      client: client, controller: "offline", instance: "offline", time: time, random: .system, logger: logger,
      metrics: metrics)
    return PluginEnvironment(
      namespace: "offline", client: client, time: time, events: events.recorder, signals: LockSignals(),
      metrics: metrics, logger: logger)
  }
}

/// Answers nothing.
private struct OfflineTransport: APITransport {
  private let error = TransportError(.notSent, "this command works without a cluster")

  func send(_ request: APIRequest) async throws -> APIResponse { throw error }
  func stream(_ request: APIRequest) async throws -> APIStream { throw error }
}

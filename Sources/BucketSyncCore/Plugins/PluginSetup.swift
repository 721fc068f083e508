// PluginSetup: what a plugin is handed to register itself with, and the services it may use.

public import KubernetesClient
public import KubernetesModel
public import Logging
public import OperatorRuntime

/// What the operator offers to plugins.
public struct PluginEnvironment: Sendable {
  /// The namespace that the operator keeps its own objects in (`--namespace`).
  public let namespace: String
  /// The API client.
  public let client: KubernetesClient
  /// The clocks; use these, so that the plugin can be tested and simulated.
  public let time: any TimeSource
  /// Records Events.
  public let events: EventRecorder
  /// Wakes runs that wait.
  public let signals: LockSignals
  /// The operator's metrics, to add the plugin's own.
  public let metrics: MetricsRegistry
  /// Logs under the plugin's name.
  public var logger: Logger

  package init(
    namespace: String, client: KubernetesClient, time: any TimeSource, events: EventRecorder, signals: LockSignals,
    metrics: MetricsRegistry, logger: Logger
  ) {
    self.namespace = namespace
    self.client = client
    self.time = time
    self.events = events
    self.signals = signals
    self.metrics = metrics
    self.logger = logger
  }
}

/// Collects what one plugin registers.
public struct PluginSetup {
  /// The operator's services.
  public let environment: PluginEnvironment
  /// The name of the plugin being registered.
  package let plugin: String
  package var registry: PluginRegistry

  package init(environment: PluginEnvironment, plugin: String, registry: PluginRegistry) {
    self.environment = environment
    self.plugin = plugin
    self.registry = registry
  }

  /// Takes part in deciding whether a run may go for its locks.
  public mutating func preLock(_ hook: some PreLockHook) { registry.preLock.append(.init(plugin, hook)) }

  /// Provides the locks.
  /// - Throws: ``PluginError`` when another plugin does so already.
  public mutating func lock(_ provider: some LockProvider) throws {
    if let first = registry.lock {
      throw PluginError.secondProvider(point: "lock", first: first.plugin, second: plugin)
    }
    registry.lock = .init(plugin, provider)
  }

  /// Takes part in naming Jobs.
  public mutating func jobName(_ hook: some JobNameHook) { registry.jobName.append(.init(plugin, hook)) }

  /// Drafts Jobs.
  /// - Throws: ``PluginError`` when another plugin does so already.
  public mutating func buildJob(_ builder: some JobBuilder) throws {
    if let first = registry.builder {
      throw PluginError.secondProvider(point: "buildJob", first: first.plugin, second: plugin)
    }
    registry.builder = .init(plugin, builder)
  }

  /// Changes Jobs after the builder has drafted them.
  public mutating func transformJob(_ transformer: some JobTransformer) {
    registry.transformers.append(.init(plugin, transformer))
  }

  /// Is told how runs went.
  public mutating func postSync(_ hook: some PostSyncHook) { registry.postSync.append(.init(plugin, hook)) }

  /// Keeps a cache of objects filled for as long as the operator runs. No run is looked at before it is complete.
  /// - Parameters:
  ///   - namespace: Only objects in this namespace; `nil` for all.
  ///   - labels: Only objects that this label selector matches.
  ///   - indexes: By what else than its key an object shall be found.
  public mutating func cache<Object: KubernetesObject>(
    of type: Object.Type, namespace: String?, labels: String?, indexes: [ObjectIndex<Object>] = []
  ) -> ObjectStore<Object> {
    let store = ObjectStore<Object>(indexes: indexes)
    registry.caches.append(.init(store: store, namespace: namespace, labels: labels))
    return store
  }

  /// Runs `task` for as long as the operator runs; when it throws, the operator stops.
  public mutating func background(_ task: @escaping @Sendable () async throws -> Void) {
    registry.backgroundTasks.append(.init(plugin, task))
  }
}

// OperatorAssembly: puts the parts of the operator together.

internal import BucketSyncAPI
internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

/// The operator, ready to run.
struct OperatorAssembly {
  let settings: OperatorSettings
  let logger: Logger
  let metrics = MetricsRegistry()
  let client: KubernetesClient
  let caches = ClusterCaches()
  let registry: PluginRegistry
  let controllers: Controllers
  let events: EventDelivery
  let time = SystemTime()

  init(_ settings: OperatorSettings, plugins: [any Plugin], environment: [String: String]) throws {
    self.settings = settings
    var logger = Logger(label: "bucket-sync")
    logger.logLevel = environment["LOG_LEVEL"].flatMap(Logger.Level.init(rawValue:)) ?? .info
    self.logger = logger
    let configuration = try ClientConfiguration.load(kubeconfig: settings.kubeconfig, environment: environment)
    client = try configuration.client(userAgent: "bucket-sync/\(Version.current)")
    events = EventDelivery(
      client: client, controller: "\(BucketSyncNames.group)/bucket-sync", instance: "host", time: time,
      random: .system, logger: logger, metrics: metrics)
    let signals = LockSignals()
    registry = try PluginRegistry(
      plugins,
      environment: PluginEnvironment(
        namespace: settings.namespace, client: client, time: time, events: events.recorder, signals: signals,
        logger: logger))
    let services = try CoreServices(
      client: client, caches: caches, plugins: registry, events: events.recorder, time: time, settings: settings.core,
      metrics: CoreMetrics(metrics), logger: logger)
    let time = time
    let metrics = metrics
    controllers = Controllers(services, signals: signals, metrics: metrics, concurrency: settings.concurrency) {
      WorkQueue(name: $0, time: time, metrics: metrics)
    }
  }

  func run() async throws {
    for (point, plugins) in registry.overview {
      logger.info("extension point", metadata: ["point": "\(point)", "plugins": "\(plugins.joined(separator: ", "))"])
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await events.run() }
      group.addTask { try await fill(caches.policies, namespace: nil, labels: nil) }
      group.addTask { try await fill(caches.runs, namespace: nil, labels: nil) }
      group.addTask { try await fill(caches.jobs, namespace: nil, labels: ClusterCaches.jobSelector) }
      group.addTask { try await fill(caches.pods, namespace: nil, labels: ClusterCaches.podSelector) }
      for cache in registry.caches { group.addTask { try await cache.fill(self) } }
      group.addTask {
        try await caches.policies.waitUntilSynced()
        try await caches.runs.waitUntilSynced()
        try await caches.jobs.waitUntilSynced()
        try await caches.pods.waitUntilSynced()
        try await time.sleep(for: .milliseconds(300))
        logger.info("caches synced")
        await withTaskGroup { group in for c in controllers.all { group.addTask { await c.run() } } }
      }
      try await group.waitForAll()
    }
  }
}

extension OperatorAssembly: CacheFiller {
  func fill<Object: KubernetesObject>(
    _ store: ObjectStore<Object>, namespace: String?, labels: String?
  ) async throws {
    // A plugin's cache of one namespace is its own business; everything else keeps to the watched ones.
    let namespaces = namespace.map { [$0] } ?? settings.watchNamespaces.map(Optional.some)
    let reflectors = (namespaces.isEmpty ? [nil] : namespaces).map {
      Reflector(
        client: client, store: store, namespace: $0, labels: labels, time: time, random: .system, logger: logger,
        metrics: metrics)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for reflector in reflectors { group.addTask { try await reflector.run() } }
      try await group.waitForAll()
    }
  }
}

// OperatorAssembly: puts the parts of the operator together.
//
//     kubeconfig ─▶ transport ─▶ (write fence, if there are elections) ─▶ client ─▶ reflectors ─▶ caches
//                                                                          └─▶ plugins, reconcilers, events
//
// Everything is made here and handed down; nothing is global.

internal import BucketSyncAPI
package import BucketSyncCore
internal import FoundationEssentials
package import KubernetesClient
package import KubernetesModel
package import Logging
package import OperatorRuntime

/// The operator, ready to run.
package struct OperatorAssembly: Sendable {
  /// What runs beside the operator for as long as it does; told when that is to end.
  package typealias Companion = @Sendable (_ shutdown: Signal) async throws -> Void

  private let settings: OperatorSettings
  private let registry: PluginRegistry
  private let preflight: Preflight
  private let preflightPassed = Signal()
  private let process: OperatorProcess
  private let companions: [Companion]
  private let logger: Logger

  /// Puts the operator of a cluster together.
  /// - Parameter instance: A name of this process that no other has: the pod's, or one made up.
  /// - Throws: What is wrong with the settings, the kubeconfig or the plugins, as one sentence.
  init(
    _ settings: OperatorSettings, cluster: ClusterSettings, plugins: [any Plugin], environment: [String: String],
    instance: String
  ) throws {
    let time = SystemTime()
    let logger = try LogSettings(environment: environment).logger(label: "bucket-sync", time: time)
    let configuration = try ClientConfiguration.load(
      kubeconfig: cluster.kubeconfig, environment: environment, time: time)
    let lease = ObjectKey(namespace: settings.namespace, name: cluster.leaderElectionID)
    try self.init(
      settings, transport: configuration.transport(userAgent: "bucket-sync/\(Version.current)"),
      host: configuration.connection.server, lease: cluster.leaderElection ? lease : nil, plugins: plugins,
      instance: instance, time: time, random: .system, logger: logger)
  }

  /// Puts an operator together that talks to the API server behind `transport`.
  /// - Parameters:
  ///   - host: The server's name in metrics.
  ///   - lease: What to hold while acting; `nil` if nobody else can act.
  ///   - companions: What else the process needs, made with the client and the recorder of events.
  package init(
    _ settings: OperatorSettings, transport: any APITransport, host: String, lease: ObjectKey?,
    plugins: [any Plugin], instance: String, time: any TimeSource, random: RandomSource, logger: Logger,
    companions: (KubernetesClient, EventRecorder, MetricsRegistry) throws -> [Companion] = { _, _, _ in [] }
  ) throws {
    let metrics = MetricsRegistry()
    metrics.addProcessMetrics()
    let fence = lease.map { WriteFence(transport: transport, lease: $0, time: time) }
    let client = KubernetesClient(
      transport: fence ?? transport, time: time, observer: metrics.clientObserver(host: host))
    let unreadable = UnreadableObjects(metrics: metrics)
    let reflectors = ReflectorFactory(
      client: client, namespaces: settings.watchNamespaces, time: time, random: random, logger: logger,
      metrics: metrics, unreadable: unreadable)
    let events = EventDelivery(
      client: client, controller: "\(BucketSyncNames.group)/bucket-sync", instance: instance, time: time,
      random: random, logger: logger, metrics: metrics)
    let signals = LockSignals()
    registry = try PluginRegistry(
      plugins,
      environment: PluginEnvironment(
        namespace: settings.namespace, client: client, time: time, events: events.recorder, signals: signals,
        metrics: metrics, logger: logger))
    let caches = ClusterCaches()
    let coreMetrics = CoreMetrics(metrics)
    StateMetrics(caches, time: time).register(in: metrics)
    let controllers = Controllers(
      try CoreServices(
        client: client, caches: caches, plugins: registry, events: events.recorder, time: time,
        settings: settings.core, metrics: coreMetrics, logger: logger),
      signals: signals, metrics: metrics, concurrency: settings.concurrency
    ) { WorkQueue(name: $0, time: time, metrics: metrics) }
    let sources =
      reflectors.sources(of: caches.policies) + reflectors.sources(of: caches.runs)
      + reflectors.sources(of: caches.jobs, labels: ClusterCaches.jobSelector)
      + reflectors.sources(of: caches.pods, labels: ClusterCaches.podSelector)
      + registry.caches.flatMap { $0.sources(reflectors) }
    let endpoints = try Self.endpoints(settings, metrics: metrics, caches: sources)
    let server = endpoints.isEmpty ? nil : EndpointServer(endpoints: endpoints, time: time, logger: logger)
    let elector: LeaderElector? =
      if let lease, let fence {
        LeaderElector(
          client: client, lease: lease, identity: instance, fence: fence, time: time, random: random, logger: logger,
          metrics: metrics)
      } else {
        nil
      }
    preflight = Preflight(client: client, time: time, logger: logger)
    let passed = preflightPassed
    process = OperatorProcess(
      server: server, caches: sources.map { CacheAfterPreflight(cache: $0, passed: passed) },
      controllers: controllers.all, events: events, elector: elector, time: time,
      logger: logger, unreadable: unreadable)
    self.companions = try companions(client, events.recorder, metrics)
    self.settings = settings
    self.logger = logger
  }

  /// Runs until `shutdown` is raised and everything has ended in good order.
  package func run(until shutdown: Signal) async throws {
    logger.info(
      "starting",
      metadata: [
        "version": "\(Version.current)", "namespace": "\(settings.namespace)",
        "watching":
          "\(settings.watchNamespaces.isEmpty ? "all namespaces" : settings.watchNamespaces.joined(separator: ","))",
      ])
    for (point, plugins) in registry.overview where !plugins.isEmpty {
      logger.info("extension point", metadata: ["point": "\(point)", "plugins": "\(plugins.joined(separator: ","))"])
    }
    try await withThrowingTaskGroup { group in
      for task in registry.backgroundTasks {
        group.addTask {
          try await task.hook()
          // A task that has nothing more to do is no reason to stop.
          try await Signal().wait()
        }
      }
      for companion in companions {
        group.addTask {
          try await companion(shutdown)
          // One that has nothing more to do is no reason to stop.
          try await Signal().wait()
        }
      }
      group.addTask {
        try await preflight.run()
        preflightPassed.raise()
        try await Signal().wait()
      }
      group.addTask { try await process.run(until: shutdown) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// What is served where; both addresses may be the same.
  private static func endpoints(
    _ settings: OperatorSettings, metrics: MetricsRegistry, caches: [any CacheSource]
  ) throws -> [ListenAddress: [Endpoint]] {
    var endpoints: [ListenAddress: [Endpoint]] = [:]
    if let address = try ListenAddress(settings.healthAddress) {
      endpoints[address, default: []] += [
        .checks("/healthz", [.ping]), .checks("/readyz", [.ping] + caches.map { .synced($0) }),
      ]
    }
    if let address = try ListenAddress(settings.metricsAddress) {
      endpoints[address, default: []].append(.metrics(metrics))
    }
    return endpoints
  }
}

/// Makes the reflectors that fill caches from the watched namespaces.
private struct ReflectorFactory: CacheSourceFactory {
  let client: KubernetesClient
  let namespaces: [String]
  let time: any TimeSource
  let random: RandomSource
  let logger: Logger
  let metrics: MetricsRegistry
  let unreadable: UnreadableObjects

  func sources<Object: KubernetesObject>(
    of store: ObjectStore<Object>, namespace: String? = nil, labels: String? = nil
  ) -> [any CacheSource] {
    let all: [String?] = namespaces.isEmpty ? [nil] : namespaces
    return (namespace.map { [$0] } ?? all).map { namespace in
      Reflector(
        client: client, store: store, namespace: namespace, labels: labels, time: time, random: random,
        logger: logger, metrics: metrics, unreadable: unreadable)
    }
  }
}

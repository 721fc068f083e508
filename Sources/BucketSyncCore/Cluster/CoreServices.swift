// CoreServices: everything that the reconcilers need from outside, injected in one piece.

package import KubernetesClient
package import KubernetesModel
package import Logging
package import OperatorRuntime

/// Settings of the reconcilers.
package struct CoreSettings: Sendable, Hashable {
  /// How long a lock must be seen orphaned before it is removed (`--lock-timeout`).
  package var lockTimeout: Duration
  /// How long a Job's pod may take to start before the run fails (`--job-start-timeout`); zero waits for ever.
  package var jobStartTimeout: Duration
  /// How long a Job is left to its own controller after its deadline, before the run ends it; `nil` for ever. Since
  /// Kubernetes 1.31 a Job is Failed only when its pods have stopped, for which they have 30 seconds; and clocks differ.
  package var deadlineGrace: Duration?
  /// How long a post-sync hook may take.
  package var postSyncTimeout: Duration
  /// Where policies and runs are looked after (`--watch-namespaces`); empty for everywhere.
  package var namespaces: [String]

  package init(
    lockTimeout: Duration = .seconds(300), jobStartTimeout: Duration = .seconds(600),
    deadlineGrace: Duration? = .seconds(45), postSyncTimeout: Duration = .seconds(30), namespaces: [String] = []
  ) {
    self.lockTimeout = lockTimeout
    self.jobStartTimeout = jobStartTimeout
    self.deadlineGrace = deadlineGrace
    self.postSyncTimeout = postSyncTimeout
    self.namespaces = namespaces
  }

  /// Whether runs of `namespace` are this controller's business.
  func covers(_ namespace: String) -> Bool { namespaces.isEmpty || namespaces.contains(namespace) }
}

/// What the reconcilers work with.
package struct CoreServices: Sendable {
  package let client: KubernetesClient
  package let caches: ClusterCaches
  package let plugins: PluginRegistry
  package let events: EventRecorder
  package let time: any TimeSource
  package let settings: CoreSettings
  package let metrics: CoreMetrics
  package let logger: Logger
  let lock: any LockProvider
  let builder: any JobBuilder
  let status: StatusWriter

  /// - Throws: ``PluginError`` when no plugin provides locks or Jobs.
  package init(
    client: KubernetesClient, caches: ClusterCaches, plugins: PluginRegistry, events: EventRecorder,
    time: any TimeSource, settings: CoreSettings, metrics: CoreMetrics, logger: Logger
  ) throws(PluginError) {
    guard let lock = plugins.lock?.hook else { throw .missingProvider(point: "lock") }
    guard let builder = plugins.builder?.hook else { throw .missingProvider(point: "buildJob") }
    self.client = client
    self.caches = caches
    self.plugins = plugins
    self.events = events
    self.time = time
    self.settings = settings
    self.metrics = metrics
    self.logger = logger
    self.lock = lock
    self.builder = builder
    status = StatusWriter(client: client, time: time)
  }

  /// Tells people something about an object: by an Event, and in the log.
  func tell(_ type: EventType, regarding object: ObjectReference, reason: String, action: String, _ note: String) {
    events.record(type, regarding: object, reason: reason, action: action, note: note)
    logger.log(
      level: type == .warning ? .warning : .info, "\(note)",
      metadata: [
        "object": "\(object.kind ?? "") \(object.namespace ?? "")/\(object.name ?? "")", "reason": "\(reason)",
      ])
  }
}

// LocalJobs: Jobs as processes of this machine. Start reading here.
//
//     Job ──JobReconciler──▶ Pod ──PodReconciler──▶ supervisor ──▶ rclone
//      ▲                      │ ▲                        │
//      └──────status──────────┘ └──status── PodProcesses ┘ (records, locks: Processes/)
//
//     Jobs/         the Job controller: which pods there are, how a Job ends
//     Pods/         the kubelet: environment, places, status
//     Processes/    what runs on this machine, and the proof that it does not
//     Supervisor/   the process beside each program
//     Logs/         what programs have written
//
// It reads and writes the API like any controller, and knows nothing of who serves it. Everything that must outlive this
// process is in the pods' folders; a process that is started again goes on where the last one was killed.

internal import FoundationEssentials
package import KubernetesClient
package import KubernetesModel
package import Logging
package import OperatorRuntime

/// Runs the Jobs of an API as processes.
package struct LocalJobs: Sendable {
  private let settings: LocalJobsSettings
  private let processes: PodProcesses
  private let places: Places
  private let pods: ObjectStore<LocalPod>
  private let pruneLogs: @Sendable () -> Void
  private let caches: [any CacheSource]
  private let controllers: [Controller]
  private let logger: Logger

  /// The logs of pods, also of those that are gone.
  package let logs: PodLogs

  /// - Throws: What the operating system refused, as one sentence.
  package init(
    client: KubernetesClient, settings: LocalJobsSettings, events: EventRecorder, time: any TimeSource,
    random: RandomSource, logger: Logger, metrics: MetricsRegistry
  ) throws {
    var settings = settings
    // Programs have working folders of their own.
    if !settings.folder.hasPrefix("/") {
      settings.folder = "\(FileManager.default.currentDirectoryPath)/\(settings.folder)"
    }
    let delay = settings.keptLogs.delay
    let waits = try DescriptorEvents()
    let jobs = ObjectStore<LocalJob>()
    let pods = ObjectStore<LocalPod>(indexes: [.job])
    let secrets = ObjectStore<SecretNotice>()
    let configMaps = ObjectStore<ConfigMapNotice>()
    let jobQueue = WorkQueue<ObjectKey>(name: "localjob", time: time, metrics: metrics)
    let podQueue = WorkQueue<ObjectKey>(name: "localpod", time: time, metrics: metrics)
    let logQueue = WorkQueue<ObjectKey>(name: "locallog", time: time, metrics: metrics)
    let processes = try PodProcesses(
      root: settings.folder, supervisor: settings.supervisor, time: time, logger: logger, events: waits)
    let places = Places(limit: settings.maximumRunning)
    let waiting = WaitingPods()
    let archive = LogArchive(root: settings.folder, limits: settings.keptLogs, logger: logger)
    let jobReconciler = JobReconciler(
      client: client, jobs: jobs, pods: pods, processes: processes,
      manifest: PodManifest(nodeName: settings.nodeName), events: events, time: time, logger: logger)
    let podReconciler = PodReconciler(
      client: client, jobs: jobs, pods: pods, processes: processes, places: places, waiting: waiting,
      settings: settings, events: events, time: time, logger: logger, wake: podQueue.add,
      pruneLogs: { logQueue.add(ObjectKey(namespace: nil, name: "all"), after: delay) })
    controllers = [
      Controller(
        name: "localjob", queue: jobQueue, concurrency: settings.concurrency, logger: logger, metrics: metrics,
        reconcile: jobReconciler.reconcile),
      Controller(
        name: "localpod", queue: podQueue, concurrency: settings.concurrency, logger: logger, metrics: metrics,
        reconcile: podReconciler.reconcile),
      Controller(name: "locallog", queue: logQueue, concurrency: 1, logger: logger, metrics: metrics) { _ in
        await archive.prune(keeping: Set(pods.all.map(\.uid)))
        return .done
      },
    ]
    func reflector<Object: KubernetesObject>(_ store: ObjectStore<Object>) -> any CacheSource {
      Reflector(
        client: client, store: store, time: time, random: random, logger: logger, metrics: metrics)
    }
    caches = [reflector(jobs), reflector(pods), reflector(secrets), reflector(configMaps)]
    self.settings = settings
    self.processes = processes
    self.places = places
    self.pods = pods
    pruneLogs = podReconciler.pruneLogs
    self.logger = logger
    logs = try PodLogs(folder: settings.folder, events: waits)

    processes.onChange { podQueue.add($0.key) }
    jobs.onChange { change in
      jobQueue.add(change.object.key)
      if case .deleted(let job) = change, let uid = job.metadata.uid {
        for pod in pods.objects(.job, uid) { podQueue.add(pod.key) }
      }
    }
    pods.onChange { change in
      let pod = change.object
      podQueue.add(pod.key)
      if let owner = pod.job { jobQueue.add(ObjectKey(namespace: pod.metadata.namespace, name: owner.name)) }
    }
    secrets.onChange { waiting.changed(in: $0.object.metadata.namespace).forEach(podQueue.add) }
    configMaps.onChange { waiting.changed(in: $0.object.metadata.namespace).forEach(podQueue.add) }
  }

  /// The number of pods that run.
  package var runningPods: Int { processes.running.count }

  /// Runs until `shutdown` is raised and what is in work has finished. Processes go on: the next start takes them up.
  /// - Throws: ``LocksDoNotWork``, what the operating system refused, or `CancellationError`.
  package func run(until shutdown: Signal) async throws {
    try await processes.adopt()
    for pod in processes.running { places.occupy(uid: pod.uid, pod.key) }
    try await withThrowingTaskGroup { group in
      for cache in caches { group.addTask { try await cache.run() } }
      let isWorking = Signal()
      group.addTask { try await work(isWorking) }
      group.addTask {
        try await shutdown.wait()
        guard isWorking.isRaised else { return }
        for controller in controllers { controller.queue.shutDown() }
        // What is in work finishes: `work` ends, and with it everything.
        try await Signal().wait()
      }
      defer { group.cancelAll() }
      try await group.next()
    }
    let left = processes.running.map { "\($0.key)" }
    guard !left.isEmpty else { return }
    logger.info(
      "\(left.count == 1 ? "a pod goes" : "\(left.count) pods go") on running, to be taken up at the next start",
      metadata: ["pods": "\(left.joined(separator: ", "))"])
  }

  private func work(_ isWorking: Signal) async throws {
    for cache in caches { try await cache.waitUntilSynced() }
    for pod in pods.all where pod.job != nil && pod.phase == "Pending" && !pod.metadata.isBeingDeleted {
      places.queue(uid: pod.uid, Places.Turn(pod))
    }
    pruneLogs()
    isWorking.raise()
    await withTaskGroup { group in
      for controller in controllers { group.addTask { await controller.run() } }
    }
  }
}

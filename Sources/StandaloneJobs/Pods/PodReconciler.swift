// PodReconciler: what a kubelet does, for one pod at a time.
//
//     pod is new          → a place is taken, its environment is resolved, its process is started
//     process runs        → the status says so
//     process has ended   → the status says how, for as long as it takes
//     pod is deleted, or its Job is gone → the process is stopped; the object goes when that is proven
//     object is gone      → the process is stopped nevertheless
//
// The status says `Succeeded` or `Failed` only once the pod's lock has proven that nothing of it runs.

internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime
internal import Synchronization

/// Brings pods and processes together.
struct PodReconciler: Sendable {
  let client: KubernetesClient
  let jobs: ObjectStore<LocalJob>
  let pods: ObjectStore<LocalPod>
  let processes: PodProcesses
  let places: Places
  let waiting: WaitingPods
  let settings: LocalJobsSettings
  let events: EventRecorder
  let time: any TimeSource
  let logger: Logger
  /// Puts a pod into the queue.
  let wake: @Sendable (ObjectKey) -> Void
  /// Lets old logs go, soon.
  let pruneLogs: @Sendable () -> Void

  func reconcile(_ key: ObjectKey) async throws -> Reconciliation {
    let pod = pods[key]
    let strays = try await settleStrays(key, uid: pod?.uid)
    guard let pod, let owner = pod.job else { return strays }
    if pod.hasEnded {
      leavePlace(pod.uid)
      await processes.retire(namespace: pod.metadata.namespace ?? "", name: key.name, uid: pod.uid)
      return min(strays, try await retire(pod, owner))
    }
    let state = try await processes.state(namespace: pod.metadata.namespace ?? "", name: key.name, uid: pod.uid)
    return min(strays, try await follow(pod, owner, state))
  }

  private func follow(_ pod: LocalPod, _ owner: OwnerReference, _ state: ProcessState) async throws -> Reconciliation {
    let mustStop = pod.metadata.isBeingDeleted ? true : try await !jobExists(owner, pod)
    switch state {
    case .running(let started):
      if let started { try await report(pod, .running(started)) }
      guard mustStop else { return .done }
      let pause = await processes.stop(uid: pod.uid, gracePeriod: pod.gracePeriod)
      return .again(after: max(pause, .milliseconds(100)))
    case .ended(let record):
      leavePlace(pod.uid)
      // A pod that was running when it was lost is what the kubelet calls unknown; see PodProcesses.
      try await report(pod, .ended(record))
      return .done
    case .none, .neverRan:
      if mustStop { return try await drop(pod, owner) }
      if pod.phase == "Running" { return try await lost(pod) }
      if case .neverRan(let why) = state { return try await retryLater(pod, why) }
      return try await start(pod)
    }
  }

  // MARK: Starting

  private func start(_ pod: LocalPod) async throws -> Reconciliation {
    // Its Job is about to delete it.
    if let job = jobs[jobKey(pod)], job.isFinished || job.isSuspended || job.remainingTime(at: time.now) == .zero {
      leavePlace(pod.uid)
      return .done
    }
    if let busy = places.take(uid: pod.uid, Places.Turn(pod)) {
      waiting.remove(pod.key)
      let names = busy.prefix(5).map(\.name).joined(separator: ", ") + (busy.count > 5 ? ", …" : "")
      let message =
        places.limit == 1
        ? "the only place is taken: pod \(names) runs" : "all \(places.limit) places are taken: pods \(names) run"
      try await report(pod, .unschedulable(message))
      return .done
    }
    do {
      let environment = try await ContainerEnvironment.resolve(pod, nodeName: settings.nodeName, client: client)
      let identity = identity(of: pod)
      let isStarted = try await processes.start(identity) { folder in
        LaunchOrder(
          pod, environment: environment, folder: folder, settings: settings, job: jobs[jobKey(pod)],
          now: time.now)
      }
      waiting.remove(pod.key)
      if !isStarted { leavePlace(pod.uid) }
      return .done
    } catch let problem as ConfigurationProblem {
      leavePlace(pod.uid)
      waiting.insert(pod.key)
      try await complain(pod, "CreateContainerConfigError", problem.description)
      // What was missing may have come between the look and the note that it is waited for.
      return waiting.hasChanged(pod.key) ? .again(after: .zero) : .done
    } catch let error as APIError {
      leavePlace(pod.uid)
      throw error
    } catch {
      leavePlace(pod.uid)
      return try await retryLater(pod, "\(error)")
    }
  }

  /// Something on this machine kept the container from being started, a full disk for instance.
  private func retryLater(_ pod: LocalPod, _ why: String) async throws -> Reconciliation {
    leavePlace(pod.uid)
    try await complain(pod, "CreateContainerError", why.isEmpty ? "the supervising process ended at once" : why)
    return .again(after: Self.retryPause)
  }

  private func complain(_ pod: LocalPod, _ reason: String, _ message: String) async throws {
    let isNews = pod.status?["containerStatuses"][0]["state"]["waiting"]["message"].string != message
    try await report(pod, .waiting(reason: reason, message: message))
    guard isNews else { return }
    logger.warning("cannot start a pod: \(message)", metadata: ["pod": "\(pod.key)"])
    events.record(.warning, regarding: pod.reference, reason: "Failed", action: "Start", note: "Error: \(message)")
  }

  /// A pod that was running, of which there is no trace here: its state was removed, or is another machine's.
  private func lost(_ pod: LocalPod) async throws -> Reconciliation {
    guard processes.refuse(pod.key, uid: pod.uid) else { return .again(after: .seconds(1)) }
    let started = pod.status?["containerStatuses"][0]["state"]["running"]["startedAt"].string.flatMap { Timestamp($0) }
    leavePlace(pod.uid)
    try await report(
      pod,
      .ended(
        EndedRecord(
          exitCode: 137, reason: "ContainerStatusUnknown",
          message: "The container could not be located when the pod was terminated", startedAt: started,
          finishedAt: Timestamp(time.now))))
    return .done
  }

  // MARK: Ending

  /// Lets a pod go that never ran.
  private func drop(_ pod: LocalPod, _ owner: OwnerReference) async throws -> Reconciliation {
    waiting.remove(pod.key)
    guard processes.refuse(pod.key, uid: pod.uid) else { return .again(after: .milliseconds(100)) }
    leavePlace(pod.uid)
    return try await retire(pod, owner)
  }

  /// Lets the object of a pod go whose process has ended: once its Job has counted it, or is gone.
  private func retire(_ pod: LocalPod, _ owner: OwnerReference) async throws -> Reconciliation {
    let isOrphan = try await !jobExists(owner, pod)
    guard isOrphan || pod.metadata.isBeingDeleted else { return .done }
    if pod.hasFinalizer {
      guard isOrphan else { return .done }
      try await client.removeFinalizer(of: pod, pods)
    }
    do {
      try await client.delete(LocalPod.self, pod.key, DeleteOptions(uid: pod.uid, gracePeriodSeconds: 0))
    } catch {
      guard error.isNotFound || error.isConflict else { throw error }
    }
    return .done
  }

  /// Stops processes of pods whose objects are gone, which only somebody who takes finalizers off by hand brings about.
  private func settleStrays(_ key: ObjectKey, uid: String?) async throws -> Reconciliation {
    var next = Reconciliation.done
    for stray in processes.others(named: key, than: uid) {
      if try await client.exists(LocalPod.self, key, uid: stray.uid) {
        // The cache lags behind.
        next = .again(after: .seconds(1))
        continue
      }
      let state = try await processes.state(namespace: stray.namespace, name: stray.name, uid: stray.uid)
      if case .running = state {
        logger.warning("stopping a pod whose object is gone", metadata: ["pod": "\(key)"])
        let pause = await processes.stop(uid: stray.uid, gracePeriod: 30)
        next = min(next, .again(after: max(pause, .milliseconds(100))))
      } else {
        await processes.retire(namespace: stray.namespace, name: stray.name, uid: stray.uid)
        leavePlace(stray.uid)
      }
    }
    if uid == nil, next == .done {
      waiting.remove(key)
      places.forget(key).forEach(wake)
      processes.forgetRefusals(key)
      pruneLogs()
    }
    return next
  }

  // MARK: Details

  private static let retryPause = Duration.seconds(10)

  private func leavePlace(_ uid: String) { places.leave(uid: uid).forEach(wake) }

  private func jobKey(_ pod: LocalPod) -> ObjectKey {
    ObjectKey(namespace: pod.metadata.namespace, name: pod.job?.name ?? "")
  }

  private func jobExists(_ owner: OwnerReference, _ pod: LocalPod) async throws -> Bool {
    let key = jobKey(pod)
    if jobs[key]?.metadata.uid == owner.uid { return true }
    return try await client.exists(LocalJob.self, key, uid: owner.uid)
  }

  private func identity(of pod: LocalPod) -> PodIdentity {
    let namespace = pod.metadata.namespace ?? ""
    let job = pod.job?.name ?? ""
    let group = settings.keptLogs.groupLabel.flatMap { pod.metadata.labels?[$0] }
    return PodIdentity(
      namespace: namespace, name: pod.metadata.name, uid: pod.uid, job: job, jobUID: pod.job?.uid ?? "",
      container: pod.containerName, group: "\(namespace)/\(group ?? "job \(job)")", acceptedAt: Timestamp(time.now))
  }

  private func report(_ pod: LocalPod, _ report: PodReport) async throws {
    let status = PodStatus(nodeName: settings.nodeName).status(
      of: pod, report, startedAt: nil, now: Timestamp(time.now))
    let old = pod.status ?? .null
    guard old.merging(status) != old else { return }
    let patch: JSONValue = ["metadata": ["uid": .string(pod.uid)], "status": status]
    do {
      pods.record(try await client.patch(LocalPod.self, pod.key, .merge(patch), subresource: .status))
    } catch {
      // The object is gone: what is left to do is done when the cache knows.
      guard error.isNotFound else { throw error }
    }
  }
}

/// The pods that wait for a Secret or ConfigMap.
final class WaitingPods: Sendable {
  private let changes = Mutex<[ObjectKey: Bool]>([:])

  /// Lets a pod wait.
  func insert(_ key: ObjectKey) { changes.withLock { if $0[key] == nil { $0[key] = false } } }

  func remove(_ key: ObjectKey) { changes.withLock { _ = $0.removeValue(forKey: key) } }

  /// Whether something has changed in the pod's namespace since it was last asked.
  func hasChanged(_ key: ObjectKey) -> Bool {
    changes.withLock { changes in
      defer { if changes[key] != nil { changes[key] = false } }
      return changes[key] == true
    }
  }

  /// Notes that something has changed; the pods that wait there.
  func changed(in namespace: String?) -> [ObjectKey] {
    changes.withLock { changes in
      let keys = changes.keys.filter { $0.namespace == namespace }
      for key in keys { changes[key] = true }
      return Array(keys)
    }
  }
}

/// Whichever comes first.
private func min(_ left: Reconciliation, _ right: Reconciliation) -> Reconciliation {
  switch (left, right) {
  case (.again(let one), .again(let other)): .again(after: Swift.min(one, other))
  case (.again, .done): left
  default: right
  }
}

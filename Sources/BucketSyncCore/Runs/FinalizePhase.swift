// Phase Finalize: the Job is stopped and deleted, its pods are waited for, the locks are released, the outcome is told.
//
// The order is the point (design.md section 6): a lock is given back only when it is proven that no container of the
// run is left. For a success the Job's own status is that proof; in all other cases the API server is asked again,
// because a cache may lag behind a Job that was created a moment ago.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import OperatorRuntime

extension RunReconciler {
  /// Stores how the run ended, and goes on to end it.
  func conclude(_ run: BucketSync, _ outcome: RunOutcome) async throws -> Reconciliation {
    let now = Timestamp(services.time.now)
    let concluded = try await write(run) { status in
      status.phase = .finalize
      status.startTime = status.startTime ?? now
      status.result = outcome.result
      status.error = outcome.error
      let message = outcome.message ?? "the Job has completed"
      status.set(Self.jobRunning, .no, reason: outcome.reason, message: message, at: now)
    }
    return try await finalize(concluded)
  }

  /// Cleans up after a run whose outcome is stored, and ends it.
  func finalize(_ run: BucketSync) async throws -> Reconciliation {
    if let waiting = try await stop(run) { return waiting }
    try await services.lock.unlock(RunReference(run))
    let outcome = RunOutcome(stored: run.status)
    let report = await postSync(run, outcome)
    let finished = try await finish(run, outcome, report)
    return try await retire(finished)
  }

  /// Ends a run that is being deleted: stops its Job, releases its locks and lets the object go.
  func cancel(_ run: BucketSync) async throws -> Reconciliation {
    guard run.metadata.finalizers?.contains(BucketSyncNames.finalizer) == true else { return .done }
    if run.status?.phase == .finalize { return try await finalize(run) }
    return try await conclude(run, .cancelled(message: "the BucketSync was deleted before it had finished"))
  }

  /// Takes the finalizer off a run that has ended.
  func retire(_ run: BucketSync) async throws -> Reconciliation {
    guard let finalizers = run.metadata.finalizers, finalizers.contains(BucketSyncNames.finalizer) else {
      return .done
    }
    do {
      _ = try await setFinalizers(run, finalizers.filter { $0 != BucketSyncNames.finalizer })
    } catch {
      guard error.isNotFound else { throw error }
    }
    return .done
  }

  /// Deletes a Job of a run that has finished: the request that created it was on its way for longer than the run
  /// lasted (a controller that was frozen while another took over, a network that held it up). It has no locks.
  func deleteLateJob(of run: BucketSync) async throws {
    guard let name = run.status?.job,
      let job = services.caches.jobs[ObjectKey(namespace: run.metadata.namespace, name: name)],
      job.isControlled(by: run), !job.isFinished, !job.metadata.isBeingDeleted
    else { return }
    // Or the cache lags behind: then it was deleted before the run finished, as it should be.
    guard try await services.client.deleteIfPresent(job, propagation: .foreground) else { return }
    record(
      run, .warning, reason: "LateJobDeleted", action: "DeleteJob",
      "Job \(name) appeared after the run had finished and was deleted: it held no locks")
  }

  func setFinalizers(_ run: BucketSync, _ finalizers: [String]) async throws(APIError) -> BucketSync {
    let patch: JSONValue = [
      "metadata": [
        "resourceVersion": .string(run.metadata.resourceVersion ?? ""),
        "finalizers": .array(finalizers.map { .string($0) }),
      ]
    ]
    let written = try await services.client.patch(run.key, .merge(patch), rereading: services.caches.runs)
    // The API server removes an object together with its last finalizer; the watch will tell.
    if !(run.metadata.isBeingDeleted && finalizers.isEmpty) { services.caches.runs.record(written) }
    return written
  }

  /// The pods of the run, by the API server's own word.
  func storedPods(of run: BucketSync) async throws -> [Pod] {
    let selector = "\(BucketSyncNames.Label.runUID)=\(run.metadata.uid ?? "")"
    return try await services.client.list(Pod.self, namespace: run.metadata.namespace, labels: selector).items
  }

  /// Deletes the Job.
  /// - Returns: `nil` once it is proven that nothing of the Job runs any more, else when to look again.
  private func stop(_ run: BucketSync) async throws -> Reconciliation? {
    guard let name = run.status?.job else { return nil }
    let key = ObjectKey(namespace: run.metadata.namespace, name: name)
    let succeeded = run.status?.result == .succeeded
    var job = services.caches.jobs[key]
    let isWatched = job != nil
    if job == nil { job = try await services.client.find(Job.self, key) }
    let left = services.caches.pods(of: RunReference(run)).filter { !$0.hasStopped }
    if !left.isEmpty { try await noteWaiting(run, reason: "WaitingForPods", until: "pod \(left.names) has stopped") }
    if let job, job.isControlled(by: run) {
      if !succeeded, try await storedPods(of: run).contains(where: \.isStopping) {
        return left.contains(where: \.isStopping) ? .done : .again(after: Self.unwatchedPause)
      }
      // A finished Job goes at once; one that may still make pods stays until those are gone.
      if !job.metadata.isBeingDeleted {
        try await services.client.deleteIfPresent(job, propagation: job.isFinished ? .background : .foreground)
      }
      // While it is not finished its controller might still make a pod: it has to be gone first.
      if !job.isFinished {
        let waiting = left.isEmpty ? try await noteStuck(run, job) : .done
        return waiting.atLatest(after: isWatched ? nil : Self.unwatchedPause)
      }
    }
    guard left.isEmpty else { return .done }
    if !succeeded, try await storedPods(of: run).contains(where: { !$0.hasStopped }) {
      return .again(after: Self.unwatchedPause)
    }
    return nil
  }

  /// Tells that the Job itself does not go, if it takes long although no pod is left: the garbage collector takes its
  /// finalizer off, others may have put there their own.
  private func noteStuck(_ run: BucketSync, _ job: Job) async throws -> Reconciliation {
    // Without the time the watch is about to tell of the deletion.
    guard let since = job.metadata.deletionTimestamp else { return .done }
    let left = Self.deletionGrace - elapsed(.deleting, since: since, of: run)
    if left > .zero { return .again(after: left) }
    let finalizers = (job.metadata.finalizers ?? []).joined(separator: ", ")
    try await noteWaiting(
      run, reason: "WaitingForJob",
      until: "Job \(job.metadata.name), which finalizer \(finalizers) keeps from being deleted, is gone")
    return .done
  }

  /// Tells what is waited for.
  private func noteWaiting(_ run: BucketSync, reason: String, until event: String) async throws {
    let now = Timestamp(services.time.now)
    _ = try await write(run) { status in
      guard let condition = status.conditions?[BucketSync.ConditionType.locksAcquired], condition.status == .yes
      else { return }
      status.set(
        BucketSync.ConditionType.locksAcquired, .yes, reason: reason, message: "the locks are kept until \(event)",
        at: now)
    }
  }

  /// How long a Job's deletion takes before it is worth telling.
  private static let deletionGrace = Duration.seconds(5)

  private func finish(
    _ run: BucketSync, _ outcome: RunOutcome, _ report: PostSyncReport
  ) async throws(APIError) -> BucketSync {
    let end = services.time.now
    let now = Timestamp(end)
    let took = run.status?.startTime.map { $0.elapsed(until: end) } ?? .zero
    let finished = try await write(run) { status in
      status.phase = .finished
      // All of it is there already, unless somebody else has put the run into its phase.
      status.startTime = status.startTime ?? now
      status.result = outcome.result
      status.error = outcome.error
      status.finishTime = now
      status.duration = DurationText.format(.seconds(took.components.seconds))
      if !report.notes.isEmpty { status.notes = (status.notes ?? [:]).merging(report.notes) { $1 } }
      if status.conditions?[BucketSync.ConditionType.locksAcquired]?.status == .yes {
        status.set(
          BucketSync.ConditionType.locksAcquired, .no, reason: LocksReason.released, message: "the locks are released",
          at: now)
      }
      let type = outcome.isGood ? BucketSync.ConditionType.complete : BucketSync.ConditionType.failed
      let message = outcome.message ?? "the destination equals the source"
      status.set(type, .yes, reason: outcome.reason, message: message, at: now)
    }
    services.metrics.runFinished(outcome.result, took: took)
    let failed = if case .failed = outcome { true } else { false }
    record(
      run, failed ? .warning : .normal, reason: outcome.result.rawValue, action: "Finish",
      outcome.message ?? "synced \(run.spec.source) to \(run.spec.destination) in \(finished.status?.duration ?? "0s")")
    return finished
  }
}

extension Pod {
  /// Whether the pod has failed, and a container of it still runs: a kubelet that evicts a pod says so first and stops it
  /// afterwards. Deleting the pod, or its Job, would take away at once what alone tells when that has happened. A pod
  /// that cannot be read may be such a one.
  fileprivate var isStopping: Bool {
    guard let phase = status?.phase else { return true }
    guard phase == "Failed" else { return false }
    let containers = (status?.initContainerStatuses ?? []) + (status?.containerStatuses ?? [])
    return containers.contains { $0.state?.running != nil }
  }
}

extension [Pod] {
  /// Their names, in a list for people.
  var names: String { map(\.metadata.name).sorted().joined(separator: ", ") }
}

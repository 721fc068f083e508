// Phase Sync: the Job is created, watched and read.
//
// The Job may be missing for two reasons: it was never created, because the controller died right after phase Sync was
// stored, or somebody deleted it. `status.jobUID`, stored as soon as the Job was seen, tells them apart: only a Job
// that was never seen is created (again), and only when no pod of an earlier one is left.
//
// A run must end (design.md section 7, L1) whatever the Job controller loses, and those of Kubernetes lose things:
//
//   - a deadline: before kubernetes/kubernetes#110294 (2022) it is one timer in memory, set when the Job starts. It is
//     gone when the controller manager restarts (#62134); and it goes off in vain, too early by a moment, when a second
//     look at the Job through a cache that lagged behind has moved `status.startTime` over the edge of a second
//     (#107226). So the deadline is kept here as well, `CoreSettings.deadlineGrace` later.
//   - a pod: that of 1.20 marks a Job as Failed even if its request to delete the pod was refused, and never looks at a
//     finished Job again. So a pod is given `lastWordsGrace` to end after its Job, and is then deleted with it.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime

extension RunReconciler {
  /// The condition that tells how the run's Job is doing.
  static let jobRunning = "JobRunning"

  /// Looks after the run's Job.
  func sync(_ run: BucketSync) async throws -> Reconciliation {
    guard let name = run.status?.job else {
      return try await conclude(run, .failed(reason: "UnknownJob", message: "status.job was removed from the run"))
    }
    if let lost = try await keepLocks(run) { return try await conclude(run, lost) }
    let key = ObjectKey(namespace: run.metadata.namespace, name: name)
    let watched = services.caches.jobs[key]
    if let watched, watched.isControlled(by: run) { return try await follow(run, watched) }
    if run.status?.jobUID == nil { return try await resume(run, jobName: name) }
    // The cache may lag behind those of a leader before this one, or somebody took the labels off that we watch by.
    let stored = try await services.client.find(Job.self, key)
    if let stored, stored.isControlled(by: run) {
      return try await follow(run, stored).atLatest(after: Self.unwatchedPause)
    }
    let message = "Job \(name) was deleted by somebody else before it had finished"
    return try await conclude(run, .failed(reason: "JobDeleted", message: message))
  }

  /// Takes locks again that somebody has deleted while the run is at work: other controllers know of it by them only.
  /// - Returns: How the run ends if another one has got hold of a lock.
  private func keepLocks(_ run: BucketSync) async throws -> RunOutcome? {
    let reference = RunReference(run)
    guard services.lock.locks(heldBy: reference.uid).count < run.buckets.count,
      let context = try? RunContext.resolve(run, policies: { services.caches.policies[$0] })
    else { return nil }
    do {
      guard case .busy(let holder, _) = try await services.lock.lock(context) else { return nil }
      return .failed(
        reason: "LocksLost", message: "somebody has deleted the run's locks while it was at work: \(holder)")
    } catch let error where !error.mayHealByItself {
      // What it works at it may finish: where there can be no locks, nobody else gets them either.
      record(run, .warning, reason: "LocksMissing", action: "Lock", "the run's locks are gone: \(error)")
      return nil
    }
  }

  /// Reads how the run's Job is doing.
  private func follow(_ run: BucketSync, _ job: Job) async throws -> Reconciliation {
    let name = job.metadata.name
    if let uid = run.status?.jobUID, uid != job.metadata.uid {
      let message = "Job \(name) was replaced by somebody else before it had finished"
      return try await conclude(run, .failed(reason: "JobDeleted", message: message))
    }
    let patience = patience(with: job, of: run)
    if let patience, patience <= .zero { return try await endOverdue(run, job) }
    let pods = services.caches.pods(of: RunReference(run))
    switch services.builder.assess(job, pods: pods) {
    case .ended(let outcome): return try await ended(run, job, pods, outcome)
    case .running:
      sightings.forget(.pending, of: run.key)
      // Where its node is lost, a pod is being deleted for ever: neither replaced nor stopped.
      if !pods.isEmpty, pods.allSatisfy(\.metadata.isBeingDeleted) {
        let message = "pod \(pods.names) is being deleted and has not stopped yet"
        try await note(run, job, .yes, reason: "Stopping", message: message)
      } else {
        try await note(run, job, .yes, reason: "Running", message: "the pod of Job \(name) runs")
      }
      return Reconciliation.done.atLatest(after: patience)
    case .pending(let reason, let message):
      return try await pending(run, job, reason: reason, message).atLatest(after: patience)
    }
  }

  /// Handles a Job that has ended. That may be seen before the end of its pod, which tells the reason.
  private func ended(
    _ run: BucketSync, _ job: Job, _ pods: [Pod], _ outcome: RunOutcome
  ) async throws -> Reconciliation {
    guard pods.contains(where: \.mayTellMore) else { return try await conclude(run, outcome) }
    let left = Self.lastWordsGrace - elapsed(.ended, since: job.endTime, of: run)
    if left > .zero { return .again(after: left) }
    // Nobody stops that pod; finalizing will. Unless it is the cache that lags behind.
    let reading = services.builder.assess(job, pods: try await storedPods(of: run))
    if case .ended(let reread) = reading { return try await conclude(run, reread) }
    return try await conclude(run, outcome)
  }

  /// How long the Job is still left to its own controller, if it has a deadline and has not ended. Kubernetes counts
  /// from `status.startTime`.
  private func patience(with job: Job, of run: BucketSync) -> Duration? {
    guard !job.isFinished, let grace = services.settings.deadlineGrace,
      let limit = job.spec?.activeDeadlineSeconds, let start = job.status?.startTime
    else { return nil }
    return .seconds(limit) + grace - elapsed(.started, since: start, of: run)
  }

  /// Ends a Job that was to end at its deadline long ago, with the outcome that it would have had.
  private func endOverdue(_ run: BucketSync, _ job: Job) async throws -> Reconciliation {
    // The cache may lag behind a Job that has ended, and no result may be lost (S4).
    guard let stored = try await services.client.find(Job.self, job.key) else {
      return .again(after: Self.unwatchedPause)
    }
    guard stored.metadata.uid == job.metadata.uid, let patience = patience(with: stored, of: run),
      patience <= .zero
    else {
      return try await follow(run, stored)
    }
    let message = "Job \(job.metadata.name) runs on, long after its deadline"
    record(
      run, .warning, reason: "DeadlineEnforced", action: "DeleteJob",
      "\(message); its controller should have ended it, so bucket-sync does")
    let pods = services.caches.pods(of: RunReference(run))
    if case .ended(let outcome) = services.builder.assess(stored.pastDeadline, pods: pods) {
      return try await conclude(run, outcome)
    }
    return try await conclude(run, .failed(reason: Job.deadlineExceeded, message: message))
  }

  /// Creates the Job of a run whose locks are held.
  func createJob(of run: BucketSync, _ plan: JobPlan) async throws -> Reconciliation {
    let key = ObjectKey(namespace: run.metadata.namespace, name: plan.name)
    let job: Job
    do {
      job = try await services.client.create(plan.manifest.json, as: Job.self, namespace: key.namespace)
      record(run, .normal, reason: "JobCreated", action: "CreateJob", "created Job \(plan.name)")
    } catch {
      if error.isAlreadyExists { return try await adopt(key, of: run) }
      if error.mayHealByItself { throw error }
      return try await conclude(
        run, .failed(reason: "JobNotCreated", message: "Job \(plan.name) was refused: \(error)"))
    }
    services.caches.jobs.record(job)
    return try await sync(run)
  }

  /// Goes on with a Job that exists already, if an earlier attempt of this very run created it.
  private func adopt(_ key: ObjectKey, of run: BucketSync) async throws -> Reconciliation {
    let job = try await services.client.get(Job.self, key)
    guard job.isControlled(by: run) else {
      let message =
        "Job \(key.name) exists and does not belong to this run; it was left alone. Delete or rename it, then run again"
      return try await conclude(run, .failed(reason: "JobNameTaken", message: message))
    }
    services.caches.jobs.record(job)
    return try await sync(run)
  }

  /// Goes on after a crash between storing phase Sync and creating the Job.
  ///
  /// That the locks are still held is made sure of: whoever held the run for waiting, with a cache that lagged behind,
  /// may have given them back, and people can delete them.
  private func resume(_ run: BucketSync, jobName: String) async throws -> Reconciliation {
    let context: RunContext
    do {
      context = try RunContext.resolve(run) { services.caches.policies[$0] }
    } catch {
      return try await conclude(run, .failed(reason: "InvalidSpec", message: error.message))
    }
    let plan: JobPlan
    do {
      plan = try await JobPlan.make(context, plugins: services.plugins, recordedName: jobName)
    } catch let blocked as BlockedRun {
      // The locks are held: rather than keeping others waiting for a plugin to be repaired, the run ends.
      services.metrics.pluginFailed(blocked.plugin, point: blocked.point)
      return try await conclude(run, .failed(reason: "PluginFailed", message: blocked.description))
    }
    let left = try await storedPods(of: run).filter { !$0.hasStopped }
    if !left.isEmpty {
      // Mostly a cache that does not have the Job yet; but if the Job is gone, its pod may stay for long.
      let now = Timestamp(services.time.now)
      let message = "the Job is created when pod \(left.names) has stopped"
      _ = try await write(run) { $0.set(Self.jobRunning, .no, reason: "WaitingForPods", message: message, at: now) }
      return .again(after: Self.unwatchedPause)
    }
    switch try await services.lock.lock(context) {
    case .acquired: return try await createJob(of: run, plan)
    case .busy(let holder, _):
      let message = "the run lost its locks before its Job was created: \(holder)"
      return try await conclude(run, .failed(reason: "LocksLost", message: message))
    }
  }

  /// Handles a Job whose pod does not run yet: tells why once that is worth telling, and gives up in the end.
  private func pending(
    _ run: BucketSync, _ job: Job, reason: String, _ message: String
  ) async throws -> Reconciliation {
    // Not since the Job's creation: its pod may have run, and been replaced.
    let last = run.status?.conditions?[Self.jobRunning]
    let age = elapsed(.pending, since: last?.status == .no ? last?.lastTransitionTime : nil, of: run)
    let limit = services.settings.jobStartTimeout
    if limit > .zero, age >= limit {
      let text = "the pod of Job \(job.metadata.name) did not start within \(DurationText.format(limit)): \(message)"
      return try await conclude(run, .failed(reason: reason, message: text))
    }
    // Most pods start within seconds; telling that they have not yet would be a write for nothing.
    let settled = age >= Self.startingGrace
    if settled {
      try await note(run, job, .no, reason: reason, message: message)
    } else {
      try await note(run, job, .no, reason: "Starting", message: "the pod of Job \(job.metadata.name) is starting")
    }
    if !settled { return .again(after: Self.startingGrace - age + .milliseconds(100)) }
    return limit > .zero ? .again(after: limit - age) : .done
  }

  /// Stores how the Job is doing, and its UID once it is known.
  private func note(
    _ run: BucketSync, _ job: Job, _ running: Condition.Status, reason: String, message: String
  ) async throws {
    let now = Timestamp(services.time.now)
    _ = try await write(run) { status in
      status.jobUID = job.metadata.uid
      status.set(Self.jobRunning, running, reason: reason, message: message, at: now)
    }
  }

  private static let startingGrace = Duration.seconds(5)
  /// How long after the end of a Job that of its pod may be seen.
  static let lastWordsGrace = Duration.seconds(10)
  /// How long to wait for what no watch will tell.
  static let unwatchedPause = Duration.seconds(2)
}

extension Job {
  /// Whether this is the Job of that very run, not one of the same name.
  func isControlled(by run: BucketSync) -> Bool {
    metadata.controllerOwner?.uid != nil && metadata.controllerOwner?.uid == run.metadata.uid
  }

  /// Whether the Job controller is done with it and will make no more pods.
  var isFinished: Bool { ending != nil }

  /// When that came to be.
  var endTime: Timestamp? { ending?.lastTransitionTime }

  private var ending: Condition? { trueCondition("Complete") ?? trueCondition("Failed") }

  /// As its controller would have left it at its deadline.
  var pastDeadline: Job {
    var job = self
    job.status?.conditions = (status?.conditions ?? []) + [Condition(type: "Failed", reason: Self.deadlineExceeded)]
    return job
  }

  /// The reason of a Job's failure at its deadline, as Kubernetes calls it.
  static let deadlineExceeded = "DeadlineExceeded"
}

extension Pod {
  /// Whether the pod has not ended yet, so that its end may tell why its Job has; one that is being deleted tells of that.
  fileprivate var mayTellMore: Bool { !hasStopped && !metadata.isBeingDeleted && status?.phase != "Failed" }
}

extension Timestamp {
  /// The time from this point to `end`.
  func elapsed(until end: Date) -> Duration { .seconds(end.timeIntervalSince(date)) }
}

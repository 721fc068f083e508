// JobReconciler: what the Job controller of Kubernetes does, for one Job at a time. JobDecision decides, this type does.
//
// Order of writes: the status counts a pod first, then the pod's finalizer goes. Between the two the process may be killed
// as it likes; the number of the pod says whether it has been counted.

internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

/// Makes the pods of Jobs, and tells how the Jobs do.
struct JobReconciler: Sendable {
  let client: KubernetesClient
  let jobs: ObjectStore<LocalJob>
  let pods: ObjectStore<LocalPod>
  let processes: PodProcesses
  let manifest: PodManifest
  let events: EventRecorder
  let time: any TimeSource
  let logger: Logger

  func reconcile(_ key: ObjectKey) async throws -> Reconciliation {
    guard let job = jobs[key], let uid = job.metadata.uid, job.isOurs else { return .done }
    let all = pods.objects(.job, uid)
    if job.isFinished { return try await expire(job, all) }
    let failed = Int(job.status?["failed"].integer ?? 0)
    let present = all.first { $0.attempt == failed }
    let attempt = try await state(of: present, job)
    // It was deleted by hand, and its process is not proven to have stopped.
    guard attempt != .none && attempt != .vanished || !processes.isRunning(job: uid) else {
      return .again(after: .seconds(1))
    }
    let now = time.now
    let last = all.filter { $0.attempt == failed - 1 }.compactMap(\.endTime).first
    let decision = JobDecision(job, attempt, lastFailure: last, now: now)
    if decision.action == .deletePod, let present { try await client.deleteOnce(present, propagation: .background) }
    var created = false
    if case .createPod(let number) = decision.action { created = try await createPod(job, attempt: number) }
    let status = job.status(after: decision, attempt, createdPod: created, now: Timestamp(now))
    let written = try await write(status, to: job)
    try await release(all.filter { ($0.attempt ?? 0) < decision.failed || attempt == .succeeded })
    if attempt == .withdrawn, let present { try await release([present]) }
    if case .end(let end) = decision.action { tell(written, end) }
    return decision.again.map { .again(after: $0) } ?? .done
  }

  // MARK: Pods

  private func state(of pod: LocalPod?, _ job: LocalJob) async throws -> AttemptState {
    guard let pod else {
      guard job.status?["active"].integer == 1 else { return .none }
      // The cache may lag behind; of a suspended Job the pod has gone in good order.
      let selector = "batch.kubernetes.io/controller-uid=\(job.metadata.uid ?? "")"
      let stored = try await client.list(LocalPod.self, namespace: job.metadata.namespace, labels: selector)
      let failed = Int(job.status?["failed"].integer ?? 0)
      if let present = stored.items.first(where: { $0.attempt == failed }) {
        return try await state(of: present, job)
      }
      return job.isSuspended ? .none : .vanished
    }
    // The condition stays until the pod has stopped, so this holds for a Job that was resumed quickly, too.
    let isWithdrawn = pod.metadata.isBeingDeleted && (job.isSuspended || job.hasCondition("Suspended"))
    switch pod.phase {
    case "Succeeded": return .succeeded
    case "Failed" where isWithdrawn: return .withdrawn
    case "Failed":
      let byDeadline = pod.status?["message"].string == PodStatus.jobDeadlineMessage
      return .failed(at: pod.endTime ?? Timestamp(time.now), byJobDeadline: byDeadline)
    default:
      if pod.metadata.isBeingDeleted, pod.phase == "Pending", processes.refuse(pod.key, uid: pod.uid) {
        return isWithdrawn ? .withdrawn : .dropped
      }
      return .active(isReady: pod.phase == "Running", isBeingDeleted: pod.metadata.isBeingDeleted)
    }
  }

  /// Creates the pod of an attempt; whether it was not there before.
  private func createPod(_ job: LocalJob, attempt: Int) async throws -> Bool {
    let json = manifest.pod(of: job, attempt: attempt)
    let pod: LocalPod
    do throws(APIError) {
      pod = try await client.create(json, as: LocalPod.self, namespace: job.metadata.namespace)
    } catch {
      if error.isAlreadyExists {
        let name = json["metadata"]["name"].string ?? ""
        let existing = try await client.get(LocalPod.self, ObjectKey(namespace: job.metadata.namespace, name: name))
        guard existing.job?.uid == job.metadata.uid else {
          record(job, .warning, "FailedCreate", "Create", "Error creating: pod \(name) exists and is not of this Job")
          throw error
        }
        pods.record(existing)
        return true
      }
      if !error.isPassing { record(job, .warning, "FailedCreate", "Create", "Error creating: \(error)") }
      throw error
    }
    pods.record(pod)
    record(job, .normal, "SuccessfulCreate", "Create", "Created pod: \(pod.metadata.name)")
    if attempt == 0 { warn(job) }
    return true
  }

  /// Takes the finalizers off pods that are counted.
  private func release(_ pods: [LocalPod]) async throws {
    for pod in pods where pod.hasFinalizer { try await client.removeFinalizer(of: pod, self.pods) }
  }

  // MARK: The Job

  private func write(_ status: JSONValue, to job: LocalJob) async throws -> LocalJob {
    let old = job.status ?? .null
    guard old.merging(status) != old else { return job }
    let patch: JSONValue = [
      "metadata": [
        "uid": .string(job.metadata.uid ?? ""), "resourceVersion": .string(job.metadata.resourceVersion ?? ""),
      ],
      "status": status,
    ]
    do {
      let written = try await client.patch(LocalJob.self, job.key, .merge(patch), subresource: .status)
      jobs.record(written)
      return written
    } catch {
      guard error.isNotFound else { throw error }
      return job
    }
  }

  /// Looks after a Job that has ended: its pods may go, and so does it when its time has come.
  private func expire(_ job: LocalJob, _ pods: [LocalPod]) async throws -> Reconciliation {
    for pod in pods where !pod.hasEnded { try await client.deleteOnce(pod, propagation: .background) }
    try await release(
      pods.filter { $0.hasEnded || ($0.metadata.isBeingDeleted && processes.refuse($0.key, uid: $0.uid)) })
    guard let seconds = job.spec?["ttlSecondsAfterFinished"].integer, let end = job.finishTime,
      !job.metadata.isBeingDeleted
    else { return .done }
    let rest = Double(seconds) - time.now.timeIntervalSince(end.date)
    if rest > 0 { return .again(after: .seconds(min(rest, Double(seconds)) + 0.01)) }
    try await client.deleteOnce(job, propagation: .foreground)
    return .done
  }

  // MARK: Telling people

  private func tell(_ job: LocalJob, _ end: JobEnd) {
    if end.type == "Complete" {
      record(job, .normal, "Completed", "Finish", "Job completed")
    } else {
      record(job, .warning, end.reason, "Finish", end.message)
    }
  }

  private func warn(_ job: LocalJob) {
    let paths = IgnoredFields.paths(in: job)
    guard !paths.isEmpty else { return }
    let note = "These fields have no meaning without a cluster and are ignored: \(paths.joined(separator: ", "))"
    record(job, .warning, "FieldsIgnored", "Create", note)
    logger.warning("\(note)", metadata: ["job": "\(job.key)"])
  }

  private func record(_ job: LocalJob, _ type: EventType, _ reason: String, _ action: String, _ note: String) {
    events.record(type, regarding: job.reference, reason: reason, action: action, note: note)
  }
}

extension LocalPod {
  /// When its container ended.
  var endTime: Timestamp? {
    (status?["containerStatuses"][0]["state"]["terminated"]["finishedAt"].string).flatMap { Timestamp($0) }
  }
}

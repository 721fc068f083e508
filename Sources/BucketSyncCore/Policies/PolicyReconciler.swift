// PolicyReconciler: makes runs of a policy, on its ticks and on demand, keeps its history short and its status true.
//
// Every step can be repeated: a run is created under a name that its tick or trigger determines, and only then is the
// status moved on, so a controller that dies in between finds the run and goes on.

import BucketSyncAPI
import CronSchedule
import FoundationEssentials
import KubernetesClient
package import KubernetesModel
package import OperatorRuntime

/// Carries out policies.
package struct PolicyReconciler: Sendable {
  let services: CoreServices

  /// A reconciler of policies.
  package init(_ services: CoreServices) { self.services = services }

  /// Does what is due for the policy at `key`.
  package func reconcile(_ key: ObjectKey) async throws -> Reconciliation {
    guard let policy = services.caches.policies[key], !policy.metadata.isBeingDeleted else { return .done }
    do {
      return try await carryOut(policy)
    } catch let error as APIError where error.isNotFound {
      guard try await services.client.isGone(policy, from: services.caches.policies) else { throw error }
      return .done
    }
  }

  private func carryOut(_ policy: BucketSyncPolicy) async throws -> Reconciliation {
    let schedule: CronSchedule
    do {
      schedule = try checked(policy)
    } catch {
      try await refuse(policy, error)
      return .done
    }
    let now = Timestamp(services.time.now)
    let triggered = try await makeManualRun(policy, now: now)
    let lastTick = lastTick(of: policy)
    let tick =
      policy.spec.suspend == true ? .never : DueTick(schedule, policy: policy, lastTick: lastTick, now: now)
    let missed = try await makeScheduledRun(triggered.policy, at: tick.due)
    let problem = missed ?? triggered.problem
    let state = PolicyState(
      runs: services.caches.runs(of: policy), tick: missed == nil ? tick.due ?? lastTick : lastTick,
      next: missed == nil ? tick.next : tick.due, manualRun: triggered.createdRun, problem: problem)
    try await update(triggered.policy, state)
    try await trimHistory(policy)
    if let problem { throw problem }
    return tick.next.map {
      .again(after: max(.milliseconds(1), .seconds($0.date.timeIntervalSince(services.time.now))))
    } ?? .done
  }

  /// The tick of the latest scheduled run that is known of.
  private func lastTick(of policy: BucketSyncPolicy) -> Timestamp? {
    (services.caches.runs(of: policy).compactMap(\.tick) + [policy.status?.lastScheduleTime].compactMap(\.self)).max()
  }

  private func checked(_ policy: BucketSyncPolicy) throws(InvalidPolicy) -> CronSchedule {
    let problems = SpecValidation.problems(in: policy.spec)
    guard problems.isEmpty else {
      throw InvalidPolicy(reason: "InvalidSpec", message: problems.map(\.description).joined(separator: "; "))
    }
    do { return try CronSchedule(policy.spec.schedule) } catch {
      throw InvalidPolicy(
        reason: "InvalidSchedule", message: "spec.schedule \"\(policy.spec.schedule)\": \(error)")
    }
  }

  /// Makes the run that a trigger asks for.
  /// - Returns: The policy as it now is, the run's name if it exists or existed, and why it cannot be made now.
  private func makeManualRun(
    _ policy: BucketSyncPolicy, now: Timestamp
  ) async throws -> (policy: BucketSyncPolicy, createdRun: String?, problem: RunNotCreated?) {
    do {
      let handled = try await handleTrigger(policy, now: now)
      return (handled.policy, handled.createdRun, nil)
    } catch let problem as RunNotCreated {
      // The trigger's record was written in between.
      return (services.caches.policies[policy.key] ?? policy, nil, problem)
    }
  }

  /// Makes the run for a tick, unless a run that still waits will do for it.
  /// - Returns: Why that cannot be done now.
  private func makeScheduledRun(_ policy: BucketSyncPolicy, at tick: Timestamp?) async throws -> RunNotCreated? {
    guard let tick else { return nil }
    let waiting = services.caches.runs(of: policy).first { !$0.isFinished && $0.isScheduled && $0.isWaiting }
    if let waiting {
      if waiting.tick != tick {
        record(
          policy, .normal, reason: "TickCollapsed", action: "Schedule",
          "the run for \(tick) is left to \(waiting.metadata.name), which still waits")
      }
      return nil
    }
    do {
      try await create(policy.scheduledRun(at: tick), for: policy)
      return nil
    } catch let problem as RunNotCreated {
      return problem
    }
  }

  /// Creates a run; one of the same policy that exists already is as good, and so is one that somebody has deleted before
  /// its creation was answered.
  /// - Throws: ``RunNotCreated`` where somebody has to do something about it.
  func create(_ run: BucketSync, for policy: BucketSyncPolicy) async throws {
    if hasBeenDeleted(run.key, of: policy) { return }
    do {
      services.caches.runs.record(try await services.client.create(run))
      record(policy, .normal, reason: "RunCreated", action: "CreateRun", "created BucketSync \(run.metadata.name)")
      return
    } catch {
      guard error.isAlreadyExists else {
        throw error.isPassing ? error : RunNotCreated.refused(name: run.metadata.name, error)
      }
    }
    let existing = try await services.client.get(BucketSync.self, run.key)
    guard existing.metadata.controllerOwner?.uid == policy.metadata.uid else {
      throw RunNotCreated.nameTaken(run.metadata.name)
    }
    services.caches.runs.record(existing)
  }

  /// Whether the policy has had a run of this name, which was deleted.
  func hasBeenDeleted(_ run: ObjectKey, of policy: BucketSyncPolicy) -> Bool {
    services.caches.runs.hasDeleted(run, ownedBy: policy.metadata.uid ?? "")
  }

  /// Deletes the oldest finished runs beyond the limit.
  private func trimHistory(_ policy: BucketSyncPolicy) async throws {
    guard let limit = policy.spec.syncHistoryLimit, limit >= 1 else { return }
    let finished = services.caches.runs(of: policy).filter { $0.isFinished && !$0.metadata.isBeingDeleted }
    for run in finished.sorted(by: { $0.isOlder(than: $1) }).dropLast(limit) {
      try await services.client.deleteIfPresent(run, propagation: .background)
    }
  }

  func record(_ policy: BucketSyncPolicy, _ type: EventType, reason: String, action: String, _ note: String) {
    services.tell(type, regarding: policy.reference, reason: reason, action: action, note)
  }
}

/// A policy that cannot be carried out until somebody edits it.
struct InvalidPolicy: Error {
  let reason: String
  let message: String
}

/// A run that is due cannot be made.
enum RunNotCreated: Error, CustomStringConvertible {
  /// The name of the run belongs to an object of somebody else.
  case nameTaken(String)
  /// The API server does not allow it: a quota, a webhook, missing rights.
  case refused(name: String, APIError)
  /// The API server does not let the policy's annotations be changed, which keep the record of a trigger.
  case notRecorded(APIError)

  var description: String {
    switch self {
    case .nameTaken(let name):
      "BucketSync \(name) exists and does not belong to this policy; it was left alone. Delete it, or rename the policy"
    case .notRecorded(let error):
      "metadata.annotations: the trigger sync-now cannot be recorded: \(error)"
    case .refused(let name, let error): "BucketSync \(name) was refused: \(error)"
    }
  }
}

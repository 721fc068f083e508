// What a policy's status says.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime

/// The facts that a healthy policy's status is made of.
struct PolicyState {
  var runs: [BucketSync]
  var tick: Timestamp?
  var next: Timestamp?
  /// The run of the trigger that is being worked on.
  var manualRun: String?
  /// Why the due run could not be made.
  var problem: RunNotCreated?

  /// What to tell when a run was made for a tick that is still to come: the clock was ahead, or is wrong now.
  func lateClock(now: Timestamp) -> String? {
    guard let tick, let next, tick > now else { return nil }
    return "the clock went back: the latest run is that of \(tick); the next one will be that of \(next)"
  }
}

extension PolicyReconciler {
  /// Writes the status of a policy that is understood.
  func update(_ policy: BucketSyncPolicy, _ state: PolicyState) async throws(APIError) {
    let now = Timestamp(services.time.now)
    let suspended = policy.spec.suspend == true
    let message = state.problem?.description
    if let message, policy.status?.error != message {
      record(policy, .warning, reason: "RunNotCreated", action: "CreateRun", message)
    }
    let clock = suspended ? nil : state.lateClock(now: now)
    if let clock, policy.status?.readyMessage != clock {
      record(policy, .warning, reason: "ClockWentBack", action: "Schedule", clock)
    }
    _ = try await services.status.write(policy, cache: services.caches.policies) { status in
      status.lastScheduleTime = state.tick
      status.nextSyncTime = state.next
      status.observe(state.runs)
      status.lastManualRun = state.manualRun ?? status.lastManualRun
      status.error = message
      let reason = state.problem != nil ? "RunNotCreated" : suspended ? "Suspended" : "Scheduled"
      let text =
        message ?? clock ?? (suspended ? "no scheduled runs while spec.suspend is true" : "runs are made on schedule")
      status.setReady(state.problem == nil ? .yes : .no, reason: reason, message: text, at: now)
    }
  }

  /// Writes the status of a policy that has to be edited first.
  func refuse(_ policy: BucketSyncPolicy, _ problem: InvalidPolicy) async throws(APIError) {
    let now = Timestamp(services.time.now)
    if policy.status?.error != problem.message {
      record(policy, .warning, reason: problem.reason, action: "Validate", problem.message)
    }
    _ = try await services.status.write(policy, cache: services.caches.policies) { status in
      status.nextSyncTime = nil
      status.observe(services.caches.runs(of: policy))
      status.error = problem.message
      status.setReady(.no, reason: problem.reason, message: problem.message, at: now)
    }
  }
}

extension BucketSyncPolicy.Status {
  fileprivate var readyMessage: String? {
    conditions?.first { $0.type == BucketSyncPolicy.ConditionType.ready }?.message
  }

  /// Takes over what the policy's runs tell. Times never go back when old runs are deleted.
  fileprivate mutating func observe(_ runs: [BucketSync]) {
    active = runs.count { !$0.isFinished }
    lastSyncTime = ([lastSyncTime] + runs.map { $0.status?.startTime }).compactMap(\.self).max()
    let successes = runs.filter { $0.status?.result == .succeeded }.map { $0.status?.finishTime }
    lastSuccessfulTime = ([lastSuccessfulTime] + successes).compactMap(\.self).max()
  }

  fileprivate mutating func setReady(
    _ status: Condition.Status, reason: String, message: String, at time: Timestamp
  ) {
    var conditions = self.conditions ?? []
    conditions.set(
      Condition(
        type: BucketSyncPolicy.ConditionType.ready, status: status, observedGeneration: observedGeneration,
        lastTransitionTime: time, reason: reason, message: message))
    self.conditions = conditions
  }
}

// What must hold in the end, once nothing moves any more (design.md section 7).
//
//     L1  every run has ended, nothing waits for its deletion
//     L2  no lock is left
//     S4  every trigger and every tick has had its run; statuses say what is true

import BucketSyncAPI
import CronSchedule
import FoundationEssentials
import KubernetesModel
import TestSupport

/// The end of a world, looked at.
struct Promises {
  private let world: World
  private let runs: [JSONValue]
  private let policies: [JSONValue]

  init(_ world: World) {
    self.world = world
    runs = world.server.all(BucketSync.resource).map(\.object)
    policies = world.server.all(BucketSyncPolicy.resource).map(\.object)
  }

  /// What was not kept.
  func broken() -> [String] {
    ends() + locks() + triggers() + records() + ticks() + lateTicks() + contradictions() + policies.flatMap(untruths)
      + complaints()
      + leaders()
  }

  private func ends() -> [String] {
    let unfinished = runs.filter { $0["status"]["phase"] != "Finished" }.map {
      "L1: run \($0.name) never ends: phase \($0["status"]["phase"].string ?? "none"), \($0["status"]["error"].string ?? "")"
    }
    let stuck = world.server.state.objects.filter { $0.value.isBeingDeleted }.map {
      "L1: \($0.key.plural) \($0.key.name ?? "") waits for ever to be deleted"
    }
    let left = world.server.all(Job.resource).filter { job in
      job.object.controllerUID.map { uid in runs.contains { $0.uid == uid } } ?? false
    }.map { "L1: Job \($0.path.name ?? "") is left" }
    let running = world.containers.running.values.map { "L1: the container of \($0.pod) is left running" }
    return unfinished + stuck.sorted() + left + running.sorted()
  }

  private func locks() -> [String] {
    world.server.all(ConfigMap.resource).filter { $0.object.label("\(BucketSyncNames.group)/lock") == "true" }.map {
      "L2: the lock \($0.path.name ?? "") of \($0.object["data"]["holderName"].string ?? "") is left"
    }
  }

  /// Each trigger has one run at most; the last of a policy, which none has overwritten, has one.
  private func triggers() -> [String] {
    var broken: [String] = []
    let asked = world.monitor.made.asked
    for (index, trigger) in asked.enumerated() where policies.contains(where: { $0.name == trigger.policy }) {
      let answers = world.monitor.made.answers["\(trigger.policy)=\(trigger.value)"] ?? []
      let made = answers.intersection(world.monitor.made.manual).count
      let isLast = !asked[(index + 1)...].contains { $0.policy == trigger.policy }
      if made > 1 || (made == 0 && isLast) {
        broken.append(
          "S4: the trigger \"\(trigger.value)\" of \(trigger.policy) has \(made) runs (\(answers.sorted()))")
      }
    }
    return broken
  }

  /// Each run of a trigger is recorded, for that trigger alone, and nothing of it is left on the policy.
  private func records() -> [String] {
    var broken: [String] = []
    var recorded: Set<String> = []
    for (trigger, runs) in world.monitor.made.answers.sorted(by: { $0.key < $1.key }) {
      for run in runs.intersection(recorded).sorted() {
        broken.append("S4: the run \(run) answers \(trigger), and another trigger too")
      }
      recorded.formUnion(runs)
    }
    for run in world.monitor.made.manual.subtracting(recorded).sorted() {
      broken.append("S2: the run \(run) was made for a trigger, and is not recorded for any")
    }
    for policy in policies {
      for name in [BucketSyncNames.Annotation.syncNow, BucketSyncNames.Annotation.syncNowRun]
      where !policy["metadata"]["annotations"][name].isNull {
        broken.append("S4: policy \(policy.name) keeps the annotation \(name)")
      }
    }
    return broken
  }

  /// Each tick of an undisturbed world has its run, unless one that still waited did for it.
  private func everyTick(
    _ policy: JSONValue, _ schedule: CronSchedule, from created: Timestamp, to end: Timestamp
  ) -> String? {
    let own = world.monitor.made.scheduled.values.filter { $0.policy == policy.uid }
    var tick = schedule.next(after: created, anchor: created)
    while let due = tick, due.unixSeconds < end.unixSeconds - 5 {
      let isServed = own.contains { run in
        run.tick == due
          || (run.tick < due
            && (run.began.map { VirtualTime.start.addingTimeInterval($0 / .seconds(1)) >= due.date } ?? true))
      }
      if !isServed { return "S4: policy \(policy.name) has had no run for its tick \(due)" }
      tick = schedule.next(after: due, anchor: created)
    }
    return nil
  }

  /// Policies whose ticks cannot have runs have said so.
  private func complaints() -> [String] {
    guard world.monitor.isUndisturbed else { return [] }
    return world.user.unserved.subtracting(world.monitor.complaining).sorted().map {
      "S4: policy \($0) has not told that its tick cannot have its run"
    }
  }

  /// Nobody loses the lease without a reason.
  private func leaders() -> [String] {
    guard world.scenario.replicas > 1, world.plan.faults.isEmpty else { return [] }
    let lease = world.server.all(Lease.resource).first?.object
    let changes = lease?["spec"]["leaseTransitions"].integer ?? 0
    return changes > 4 ? ["L1: the lease has changed hands \(changes) times"] : []
  }

  /// The latest tick that somebody was there for has a run, or was left to one that still waited.
  private func ticks() -> [String] {
    // Who has never heard of a policy cannot serve it.
    guard world.monitor.isClockTrue, !world.plan.faults.contains(where: { $0.fault == .dropEvent }),
      let suspended = world.user.suspendedAt
    else { return [] }
    return policies.filter { !world.user.edited.contains($0.name) }.compactMap { policy in
      guard let schedule = try? CronSchedule(policy["spec"]["schedule"].string ?? ""),
        let created = policy["metadata"]["creationTimestamp"].string.flatMap({ Timestamp($0) })
      else { return nil }
      if world.monitor.isUndisturbed, policy["spec"]["suspend"] == true {
        return everyTick(policy, schedule, from: created, to: suspended)
      }
      guard
        // What had come due two minutes before has had time enough, unless something stood still.
        let due = schedule.latest(
          atOrBefore: Timestamp(unixSeconds: suspended.unixSeconds - 120), after: created, anchor: created),
        world.isQuick
      else { return nil }
      let own = world.monitor.made.scheduled.values.filter { $0.policy == policy.uid }
      let isServed = own.contains { run in
        run.tick >= due
          || (run.began.map { VirtualTime.start.addingTimeInterval($0 / .seconds(1)) >= due.date } ?? true)
      }
      return isServed ? nil : "S4: policy \(policy.name) has had no run for its tick \(due)"
    }
  }

  /// Of several ticks that were missed, the latest is made up for.
  private func lateTicks() -> [String] {
    guard world.monitor.isClockTrue, world.isQuick else { return [] }
    return policies.filter { !world.user.edited.contains($0.name) }.flatMap { policy -> [String] in
      guard let schedule = try? CronSchedule(policy["spec"]["schedule"].string ?? ""),
        let created = policy["metadata"]["creationTimestamp"].string.flatMap({ Timestamp($0) })
      else { return [] }
      return world.monitor.made.scheduled.values.filter { $0.policy == policy.uid }.compactMap { run in
        let made = Timestamp(VirtualTime.start.addingTimeInterval(run.created / .seconds(1)))
        // A request may be on its way for a while, and its sender stand still.
        let latest = schedule.latest(
          atOrBefore: Timestamp(unixSeconds: made.unixSeconds - 120), after: created, anchor: created)
        guard let latest, run.tick < latest else { return nil }
        return "S4: policy \(policy.name) makes a run for \(run.tick) as late as \(made)"
      }
    }.sorted()
  }

  /// Finished runs whose status contradicts itself.
  private func contradictions() -> [String] {
    runs.filter { $0["status"]["phase"] == "Finished" }.flatMap { run in
      let status = run["status"]
      let result = status["result"].string ?? ""
      var broken: [String] = []
      if run.has(condition: "Complete") == run.has(condition: "Failed") { broken.append("complete and failed alike") }
      if run.has(condition: "Complete") != ["Succeeded", "Skipped"].contains(result) {
        broken.append("its condition and its result \(result) differ")
      }
      if ["Succeeded", "Skipped"].contains(result) != status["error"].isNull {
        broken.append("result \(result), error \(status["error"].string ?? "none")")
      }
      if status["finishTime"].isNull || status["startTime"].isNull { broken.append("lacks its times") }
      if run.has(condition: "LocksAcquired") { broken.append("says that it has its locks") }
      if run["metadata"]["finalizers"].array?.isEmpty == false { broken.append("keeps its finalizer") }
      if world.monitor.completed.contains(run.uid), result == "Failed", !world.scenario.isTampered, world.isQuick,
        world.monitor.isClockTrue
      {
        broken.append("failed, though its Job was complete: \(status["error"].string ?? "")")
      }
      return broken.map { "S4: finished run \(run.name): \($0)" }
    }
  }

  /// What a policy's status says that is not so.
  private func untruths(_ policy: JSONValue) -> [String] {
    let status = policy["status"]
    let schedule = policy["spec"]["schedule"].string ?? ""
    let isSound = (try? CronSchedule(schedule)) != nil
    var broken: [String] = []
    if (status["active"].integer ?? 0) != 0 {
      broken.append("says that \(status["active"].integer ?? 0) runs are active")
    }
    if !status["nextSyncTime"].isNull { broken.append("is suspended, and says when it syncs next") }
    if isSound, !status["error"].isNull, !world.scenario.name.hasPrefix("name-taken") {
      broken.append("says \(status["error"].string ?? "")")
    }
    if status["observedGeneration"] != policy["metadata"]["generation"] {
      broken.append("has not been looked at since it was changed")
    }
    if world.monitor.isClockTrue, let success = world.monitor.made.successes[policy.uid],
      (status["lastSuccessfulTime"].string ?? "") < success
    {
      broken.append("has forgotten its success at \(success)")
    }
    let own = runs.filter { $0.controllerUID == policy.uid }
    if let limit = policy["spec"]["syncHistoryLimit"].integer, own.count > limit {
      broken.append("keeps \(own.count) runs")
    }
    return broken.map { "S4: policy \(policy.name) \($0)" }
  }
}

// DueTick: which tick of a schedule is due, and which comes next. Pure logic, no clock of its own.
//
// `status.nextSyncTime` is a promise that survives restarts: once it has passed, a run is due, and however many ticks
// were missed since, only the latest one is made up for. A new policy, and one whose schedule was changed, waits for
// its first tick.

import BucketSyncAPI
import CronSchedule
import KubernetesModel

/// What a schedule asks for at one moment.
struct DueTick: Equatable {
  /// The tick to make a run for now, if any.
  var due: Timestamp?
  /// The next tick after that.
  var next: Timestamp?

  /// Nothing due and nothing to come, as for a suspended policy.
  static let never = DueTick(due: nil, next: nil)

  private init(due: Timestamp?, next: Timestamp?) {
    self.due = due
    self.next = next
  }

  /// - Parameters:
  ///   - lastTick: The tick of the policy's most recent scheduled run.
  init(_ schedule: CronSchedule, policy: BucketSyncPolicy, lastTick: Timestamp?, now: Timestamp) {
    let created = policy.metadata.creationTimestamp ?? now
    let status = policy.status
    // A clock that was wrong must not silence a policy: a last tick far in the future is not believed.
    let last = lastTick.flatMap { $0.unixSeconds > now.unixSeconds + Self.clockTolerance ? nil : $0 }
    let isNewSpec = status?.observedGeneration != policy.metadata.generation
    let promise = status?.nextSyncTime ?? Self.firstPromise(schedule, status, after: last ?? created, created)
    if let promise, promise <= now {
      // A promise may have been kept by a controller that died before it could make the next one.
      let isKept = last.map { $0 >= promise } ?? false
      let promised = isKept ? nil : promise
      // Changed together with its schedule: the old promise is kept once, the new schedule starts now.
      let isPromiseOnly = isNewSpec && status?.nextSyncTime != nil
      let latest = schedule.latest(atOrBefore: now, after: max(promise, last ?? promise), anchor: created)
      due = isPromiseOnly ? promised : latest ?? promised
    }
    next = schedule.next(after: max(now, due ?? now, last ?? now), anchor: created)
  }

  /// The first tick after `time`, for a policy whose status says nothing yet, or was lost.
  private static func firstPromise(
    _ schedule: CronSchedule, _ status: BucketSyncPolicy.Status?, after time: Timestamp, _ created: Timestamp
  ) -> Timestamp? {
    // A status without a promise is that of a policy that was suspended or wrong: its past ticks are nobody's.
    status?.observedGeneration == nil ? schedule.next(after: time, anchor: created) : nil
  }

  private static let clockTolerance: Int64 = 24 * 3600
}

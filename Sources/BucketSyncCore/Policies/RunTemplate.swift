// The runs that a policy makes: their names and contents.

import BucketSyncAPI
import KubernetesModel

extension BucketSyncPolicy {
  /// The run for a tick. Its name is the tick's, so that no tick can have two runs.
  func scheduledRun(at tick: Timestamp) -> BucketSync {
    makeRun(
      name: runName("\(tick.unixSeconds)"), trigger: .scheduled,
      annotations: [BucketSyncNames.Annotation.scheduledAt: tick.description])
  }

  /// The run for a sync-now trigger, by the name that was recorded for it.
  func manualRun(named name: String) -> BucketSync { makeRun(name: name, trigger: .manual, annotations: nil) }

  /// A name for a run that was asked for at `time`, not among `taken`.
  func manualRunName(at time: Timestamp, taken: (String) -> Bool) -> String {
    var second = time.unixSeconds
    while taken(runName("manual-\(second)")) { second += 1 }
    return runName("manual-\(second)")
  }

  /// `<policy>-<suffix>`, short enough for a Job.
  private func runName(_ suffix: String) -> String {
    "\(Naming.shortened(metadata.name, limit: Naming.labelLimit - 1 - suffix.utf8.count))-\(suffix)"
  }

  private func makeRun(
    name: String, trigger: BucketSyncNames.Trigger, annotations: [String: String]?
  ) -> BucketSync {
    var labels = [
      BucketSyncNames.Label.managedBy: BucketSyncNames.controller,
      BucketSyncNames.Label.trigger: trigger.rawValue,
    ]
    if metadata.name.utf8.count <= Naming.labelLimit { labels[BucketSyncNames.Label.policy] = metadata.name }
    return BucketSync(
      metadata: ObjectMeta(
        name: name, namespace: metadata.namespace, labels: labels, annotations: annotations,
        ownerReferences: [controllerReference()], finalizers: [BucketSyncNames.finalizer]),
      spec: BucketSync.Spec(spec))
  }
}

extension BucketSync {
  /// The tick that the run stands for.
  var tick: Timestamp? { metadata.annotations?[BucketSyncNames.Annotation.scheduledAt].flatMap { Timestamp($0) } }

  /// Whether a tick of the schedule made the run.
  var isScheduled: Bool { tick != nil }

  /// Whether the run has not got its locks yet.
  var isWaiting: Bool { status?.phase == nil || status?.phase == .initialize }
}

// The sync-now annotation: one run per trigger, never lost, never doubled (design.md section 5).
//
//   1. somebody sets `sync-now` (to any value)
//   2. the name of the run to be made is recorded in `sync-now-run`, together with the value it answers
//   3. the run is created under that name
//   4. `status.lastManualRun` notes that it was
//   5. when the run has finished, both annotations are taken off in one write
//
// A value that was changed in the meantime is a trigger of its own: only `sync-now-run` is taken off then. A long value is
// recorded by its hash, since all annotations together have a limit.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime

extension PolicyReconciler {
  /// Moves a trigger one step on.
  /// - Returns: The policy as it now is, and the name of the trigger's run if it exists or existed.
  func handleTrigger(
    _ policy: BucketSyncPolicy, now: Timestamp
  ) async throws -> (policy: BucketSyncPolicy, createdRun: String?) {
    let wanted = policy.metadata.annotations?[BucketSyncNames.Annotation.syncNow]
    let record = policy.metadata.annotations?[BucketSyncNames.Annotation.syncNowRun].flatMap(TriggerRecord.init)
    switch (wanted, record) {
    case (nil, nil): return (policy, nil)
    case (nil, _?): return (try await annotate(policy, [BucketSyncNames.Annotation.syncNowRun: .null]), nil)
    case (let value?, nil):
      let name = policy.manualRunName(at: now) { name in
        let key = ObjectKey(namespace: policy.metadata.namespace, name: name)
        return services.caches.runs[key] != nil || hasBeenDeleted(key, of: policy)
      }
      let record = TriggerRecord(run: name, answering: value)
      let recorded = try await annotate(policy, [BucketSyncNames.Annotation.syncNowRun: .string(record.text)])
      try await create(recorded.manualRun(named: name), for: recorded)
      return (recorded, name)
    case (let value?, let record?):
      return try await follow(policy, record, isSameTrigger: record.answers(value))
    }
  }

  /// Creates the recorded run if that did not happen yet, or takes the trigger off once the run has finished.
  private func follow(
    _ policy: BucketSyncPolicy, _ record: TriggerRecord, isSameTrigger: Bool
  ) async throws -> (policy: BucketSyncPolicy, createdRun: String?) {
    let run = services.caches.runs[ObjectKey(namespace: policy.metadata.namespace, name: record.run)]
    let isOwn = run?.metadata.controllerOwner?.uid == policy.metadata.uid
    if let run, isOwn, !run.isFinished { return (policy, record.run) }
    if run == nil, policy.status?.lastManualRun != record.run {
      try await create(policy.manualRun(named: record.run), for: policy)
      return (policy, record.run)
    }
    var annotations: [String: JSONValue] = [BucketSyncNames.Annotation.syncNowRun: .null]
    if isSameTrigger, run == nil || isOwn { annotations[BucketSyncNames.Annotation.syncNow] = .null }
    return (try await annotate(policy, annotations), isOwn ? record.run : nil)
  }

  /// - Throws: ``RunNotCreated`` where somebody has to do something about it.
  private func annotate(
    _ policy: BucketSyncPolicy, _ annotations: [String: JSONValue]
  ) async throws -> BucketSyncPolicy {
    let patch: JSONValue = [
      "metadata": [
        "resourceVersion": .string(policy.metadata.resourceVersion ?? ""), "annotations": .object(annotations),
      ]
    ]
    let written: BucketSyncPolicy
    do {
      written = try await services.client.patch(BucketSyncPolicy.self, policy.key, .merge(patch))
    } catch {
      throw error.isPassing || error.isNotFound ? error : RunNotCreated.notRecorded(error)
    }
    services.caches.policies.record(written)
    return written
  }
}

/// The value of the annotation `sync-now-run`: the run's name, and the trigger's value if it has one.
///
///     nightly-manual-1705316400
///     nightly-manual-1705316400=before the upgrade
package struct TriggerRecord: Equatable {
  package var run: String
  package var value: String

  init(run: String, answering value: String) {
    self.run = run
    self.value = Self.recorded(value)
  }

  /// Whether this is the record of a trigger with `value`.
  func answers(_ value: String) -> Bool { self.value == value || self.value == Self.recorded(value) }

  /// What is recorded of a trigger's value.
  private static func recorded(_ value: String) -> String {
    value.utf8.count <= longestValue ? value : "fnv1a-\(StableHash.text(value))"
  }

  private static let longestValue = 256

  package init?(_ text: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    // Anybody can write the annotation: what no run can be called is no record.
    guard let run = parts.first, Naming.isSubdomain(String(run)) else { return nil }
    self.run = String(run)
    value = parts.count > 1 ? String(parts[1]) : ""
  }

  var text: String { value.isEmpty ? run : "\(run)=\(value)" }
}

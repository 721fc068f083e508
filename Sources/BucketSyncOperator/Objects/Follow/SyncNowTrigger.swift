// Asking for a run now, and learning its name: the sync-now annotation, as docs/api.md has it.

internal import BucketSyncAPI
internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

struct SyncNowTrigger: Sendable {
  let site: ObjectSite
  let policy: BucketSyncPolicy
  /// What this trigger is told by from others.
  let value: String

  init(_ policy: BucketSyncPolicy, site: ObjectSite) {
    self.site = site
    self.policy = policy
    value = "trigger-" + UUID().uuidString.lowercased()
  }

  /// Whether an earlier trigger is still being answered.
  var isSecond: Bool { policy.metadata.annotations?[BucketSyncNames.Annotation.syncNowRun] != nil }

  /// Asks for the run.
  /// - Throws: ``CommandFailure``, also when the policy has to be edited before it can have any run.
  func pull() async throws {
    if let obstacle = policy.obstacle { throw obstacle }
    _ = try await site.explaining {
      try await site.client.patch(
        BucketSyncPolicy.self, policy.key,
        .merge(["metadata": ["annotations": [BucketSyncNames.Annotation.syncNow: .string(value)]]]))
    }
  }

  /// The name of the run that the operator makes.
  /// - Throws: `CancellationError`, or ``CommandFailure`` when the policy goes, or somebody else's trigger replaces this one.
  func runName() async throws -> String {
    let answer = FirstValue<Result<String, CommandFailure>>()
    let store = ObjectStore<BucketSyncPolicy>()
    store.onChange { change in
      if case .deleted = change {
        return answer.set(.failure(CommandFailure("policy \(policy.metadata.name) was deleted")))
      }
      if let result = self.answer(in: change.object) { answer.set(result) }
    }
    let reflector = Reflector(
      client: site.client, store: store, namespace: policy.metadata.namespace,
      fields: "metadata.name=\(policy.metadata.name)", time: site.time, random: .system,
      logger: Logger(label: "bucket-sync") { _ in SwiftLogNoOpLogHandler() }, metrics: MetricsRegistry())
    return try await withThrowingTaskGroup(of: Result<String, CommandFailure>.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        try await reflector.run()
        throw CancellationError()
      }
      group.addTask { try await answer.value() }
      guard let result = try await group.next() else { throw CancellationError() }
      return try result.get()
    }
  }

  private func answer(in policy: BucketSyncPolicy) -> Result<String, CommandFailure>? {
    let annotations = policy.metadata.annotations ?? [:]
    if let record = annotations[BucketSyncNames.Annotation.syncNowRun].flatMap(TriggerRecord.init),
      record.value == value
    {
      return .success(record.run)
    }
    let wanted = annotations[BucketSyncNames.Annotation.syncNow]
    if wanted == value { return policy.obstacle.map { .failure($0) } }
    // The run was so quick that trigger and record are gone again.
    if wanted == nil, let run = policy.status?.lastManualRun, run != self.policy.status?.lastManualRun {
      return .success(run)
    }
    // What was read first may be from before our own write.
    guard let wanted, wanted != self.policy.metadata.annotations?[BucketSyncNames.Annotation.syncNow] else {
      return nil
    }
    return .failure(
      CommandFailure("somebody else has triggered the policy at the same moment; that run is made instead"))
  }
}

extension BucketSyncPolicy {
  /// Why no run can be made of the policy as it now is.
  fileprivate var obstacle: CommandFailure? {
    guard let ready = status?.conditions?[BucketSyncPolicy.ConditionType.ready], ready.status == .no,
      ready.reason.hasPrefix("Invalid"), status?.observedGeneration == metadata.generation
    else { return nil }
    return CommandFailure(
      "policy \(metadata.name) cannot run: \(ready.message); correct the policy, then trigger it again")
  }
}

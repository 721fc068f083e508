// `describe`: everything about a policy or a run that people need to understand it, and no secret.

internal import BucketSyncAPI
internal import KubernetesModel

extension ObjectSite {
  /// The lines about a policy.
  func description(ofPolicy name: String) async throws -> [String] {
    let policy = try await policy(name)
    let now = Timestamp(time.now)
    var text = Description()
    text.addMetadata(policy.metadata, now: now)
    text.add("Schedule", "\(policy.spec.schedule) (UTC)")
    text.add("Suspended", policy.spec.suspend == true ? "yes: no scheduled runs are made" : "no")
    text.add("Time limit", policy.spec.timeout)
    text.add("Keeps", policy.spec.syncHistoryLimit.map { "\($0) finished runs" } ?? "all finished runs")
    text.add("Job labels", Self.list(policy.spec.jobLabels))
    text.add("Parameters", Self.list(policy.spec.parameters))
    text.addSide("Source", policy.spec.source, policy.spec.sourceEnv)
    text.addSide("Destination", policy.spec.destination, policy.spec.destinationEnv)
    text.add("Last run", Description.time(policy.status?.lastSyncTime, now: now) ?? "none yet")
    text.add("Last success", Description.time(policy.status?.lastSuccessfulTime, now: now) ?? "none yet")
    text.add("Next run", Description.time(policy.status?.nextSyncTime, now: now) ?? "none")
    text.add("Active runs", "\(policy.status?.active ?? 0)")
    text.add("Error", policy.status?.error)
    text.addConditions(policy.status?.conditions, now: now)
    try await addRuns(of: policy, to: &text, now: now)
    let buckets = Self.buckets(policy.spec.source, policy.spec.destination)
    await addLocks(to: &text, now: now) { buckets.contains($0.bucket) }
    await addEvents(of: policy.metadata, to: &text, now: now)
    return text.finished
  }

  /// The lines about a run.
  func description(ofRun name: String) async throws -> [String] {
    let run = try await run(name)
    let now = Timestamp(time.now)
    let status = run.status
    var text = Description()
    text.addMetadata(run.metadata, now: now)
    text.add("Policy", run.metadata.controllerOwner?.name ?? "none: made by hand")
    text.add("Time limit", run.spec.timeout)
    text.add("Job labels", Self.list(run.spec.jobLabels))
    text.add("Parameters", Self.list(run.spec.parameters))
    text.addSide("Source", run.spec.source, run.spec.sourceEnv)
    text.addSide("Destination", run.spec.destination, run.spec.destinationEnv)
    text.add("Phase", status?.phase?.rawValue ?? "not looked at yet: is the operator running?")
    text.add("Result", status?.result?.rawValue)
    text.add("Started", Description.time(status?.startTime, now: now))
    text.add("Finished", Description.time(status?.finishTime, now: now))
    text.add("Duration", status?.duration)
    text.add("Error", status?.error)
    await addJob(of: run, to: &text, now: now)
    for (name, note) in (status?.notes ?? [:]).sorted(by: { $0.key < $1.key }) { text.add("Note \(name)", note) }
    text.addConditions(status?.conditions, now: now)
    let buckets = Self.buckets(run.spec.source, run.spec.destination)
    await addLocks(to: &text, now: now) {
      $0.holderUID == run.metadata.uid || (!run.isFinished && buckets.contains($0.bucket))
    }
    await addEvents(of: run.metadata, to: &text, now: now)
    return text.finished
  }

  private func addRuns(of policy: BucketSyncPolicy, to text: inout Description, now: Timestamp) async throws {
    let runs = try await runs(of: policy)
    guard !runs.isEmpty else { return text.add("Runs", "none") }
    var table = TextTable(header: ["NAME", "PHASE", "RESULT", "DURATION", "AGE", "ERROR"])
    table.rows = runs.prefix(10).map { run in
      [
        run.metadata.name, run.status?.phase?.rawValue ?? "", run.status?.result?.rawValue ?? "",
        run.status?.duration ?? "", Age.text(since: run.metadata.creationTimestamp, now: now), run.status?.error ?? "",
      ]
    }
    text.section("Runs")
    text.table(table)
    if runs.count > 10 { text.text("… and \(runs.count - 10) older ones") }
  }

  private static func buckets(_ source: String, _ destination: String) -> Set<String> {
    Set(
      [
        try? BucketPath(source, field: .source).bucket, try? BucketPath(destination, field: .destination).bucket,
      ].compactMap { $0 })
  }

  private static func list(_ map: [String: String]?) -> String {
    (map ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
  }
}

// What belongs to an object without being part of it: Events, locks, Jobs and pods. Whoever may not see these sees the
// rest nevertheless.

internal import BucketSyncAPI
internal import KubernetesClient
internal import KubernetesModel

extension ObjectSite {
  private static let events = ResourceType(group: "", version: "v1", kind: "Event", plural: "events")

  /// The Events of an object, in the order of time.
  func addEvents(of metadata: ObjectMeta, to text: inout Description, now: Timestamp) async {
    let fields = "involvedObject.uid=\(metadata.uid ?? "")"
    guard
      let events = try? await client.list(Self.events, namespace: metadata.namespace, fields: fields).items
    else {
      text.add("Events", "not to be seen with these credentials")
      return
    }
    guard !events.isEmpty else {
      text.add("Events", "none")
      return
    }
    var table = TextTable(header: ["TYPE", "REASON", "AGE", "MESSAGE"])
    table.rows = events.map { ($0.lastTime, $0) }.sorted { ($0.0?.unixSeconds ?? 0) < ($1.0?.unixSeconds ?? 0) }.map {
      (time, event) in
      let count = event["series"]["count"].integer ?? event["count"].integer ?? 1
      let age = Age.text(since: time, now: now) + (count > 1 ? " (x\(count))" : "")
      return [event["type"].string ?? "", event["reason"].string ?? "", age, event["message"].string ?? ""]
    }
    text.section("Events")
    text.table(table)
  }

  /// The locks that `isMeant` picks.
  func addLocks(to text: inout Description, now: Timestamp, where isMeant: (BucketLocks.Lock) -> Bool) async {
    guard let all = try? await client.list(ConfigMap.self, labels: BucketLocks.selector).items else { return }
    let locks = all.map { BucketLocks.Lock($0) }.filter(isMeant)
    guard !locks.isEmpty else { return }
    var table = TextTable(header: ["BUCKET", "SIDE", "HOLDER", "AGE"])
    table.rows = locks.map { [$0.bucket, $0.side, $0.holder, Age.text(since: $0.since, now: now)] }
    text.section("Locks")
    text.table(table)
  }

  /// The run's Job and its pods, as long as they are there.
  func addJob(of run: BucketSync, to text: inout Description, now: Timestamp) async {
    guard let name = run.status?.job, let uid = run.metadata.uid else { return }
    let key = ObjectKey(namespace: run.metadata.namespace, name: name)
    guard let job = try? await client.get(Job.self, key) else {
      text.add("Job", "\(name) (gone)")
      return
    }
    let condition = ["Complete", "Failed"].first { job.trueCondition($0) != nil }
    text.add("Job", "\(name) (\(condition ?? ((job.status?.active ?? 0) > 0 ? "active" : "waiting for a pod")))")
    for pod in (try? await pods(ofRun: uid)) ?? [] {
      let containers = pod.status?.containerStatuses ?? []
      let states = containers.compactMap { container in container.state?.words.map { "\(container.name) \($0)" } }
      let what = [pod.status?.reason ?? pod.status?.phase ?? "unknown"] + states
      text.add("Pod", "\(pod.metadata.name) (\(what.joined(separator: ", ")))")
    }
  }

  /// The pods of a run, the oldest first.
  func pods(ofRun uid: String) async throws(APIError) -> [Pod] {
    try await client.list(Pod.self, namespace: namespace, labels: "\(BucketSyncNames.Label.runUID)=\(uid)").items
      .sorted { ($0.metadata.creationTimestamp?.unixSeconds ?? 0) < ($1.metadata.creationTimestamp?.unixSeconds ?? 0) }
  }
}

extension Pod.ContainerState {
  /// `running`, `waiting: ImagePullBackOff`, `ended with exit code 3`.
  fileprivate var words: String? {
    if let waiting { return "waiting" + (waiting.reason.map { ": \($0)" } ?? "") }
    if running != nil { return "running" }
    return terminated.map { "ended with exit code \($0.exitCode)" }
  }
}

extension JSONValue {
  /// When the event happened last.
  fileprivate var lastTime: Timestamp? {
    for value in [
      self["series"]["lastObservedTime"], self["lastTimestamp"], self["eventTime"],
      self["metadata"]["creationTimestamp"],
    ] {
      if let time = value.string.flatMap({ Timestamp($0) }) { return time }
    }
    return nil
  }
}

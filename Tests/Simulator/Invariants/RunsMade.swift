// Which runs were ever made, and for what: ticks and triggers, each of which has one run and no more.

import BucketSyncAPI
import KubernetesModel
import TestSupport

/// The history of runs, which outlives them.
final class RunsMade {
  /// A run that a tick made.
  struct Scheduled {
    var policy: String
    var tick: Timestamp
    var created: Duration
    /// When it ceased to wait for its locks.
    var began: Duration?
  }

  /// By UID.
  private(set) var scheduled: [String: Scheduled] = [:]
  /// Names of the runs that triggers have made.
  private(set) var manual: Set<String> = []
  /// By policy's name and value: names of the runs that were recorded for it.
  private(set) var answers: [String: Set<String>] = [:]
  /// By policy's UID: when its latest run that succeeded finished.
  private(set) var successes: [String: String] = [:]
  /// Triggers, in the order in which they were pulled.
  private(set) var asked: [(policy: String, value: String)] = []

  func asked(_ policy: String, _ value: String) { asked.append((policy, value)) }

  func see(policy: JSONValue) {
    guard let text = policy["metadata"]["annotations"][BucketSyncNames.Annotation.syncNowRun].string else { return }
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    answers["\(policy.name)=\(parts.count > 1 ? parts[1] : "")", default: []].insert(parts[0])
  }

  func see(_ change: ServerChange, at now: Duration, violate: (String, String) -> Void) {
    let run = change.object
    let phase = run["status"]["phase"].string
    if phase != nil, phase != "Initialize", scheduled[run.uid]?.began == nil { scheduled[run.uid]?.began = now }
    if run["status"]["result"] == "Succeeded", let policy = run.controllerUID,
      let time = run["status"]["finishTime"].string
    {
      successes[policy] = max(successes[policy] ?? "", time)
    }
    guard change.kind == .added, let policy = run.controllerUID else { return }
    if run.label(BucketSyncNames.Label.trigger) == BucketSyncNames.Trigger.manual.rawValue,
      !manual.insert(run.name).inserted
    {
      violate("S2", "run \(run.name) is made twice")
    }
    guard let text = run["metadata"]["annotations"][BucketSyncNames.Annotation.scheduledAt].string,
      let tick = Timestamp(text)
    else { return }
    if scheduled.values.contains(where: { $0.policy == policy && $0.tick == tick }) {
      violate("S2", "a second run is made for the tick \(tick)")
    }
    scheduled[run.uid] = Scheduled(policy: policy, tick: tick, created: now)
  }
}

// HookContext: what a script is told of a run, the table `ctx`. docs/hooks.md lists it for people.
//
// Values of variables never get here: literal ones may be secrets, the others are known to the pod only. Nor does the
// annotation in which kubectl keeps the manifest, which has them too.

internal import BucketSyncAPI
internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesModel
internal import LuaSandbox

enum HookContext {
  /// The table for a call.
  /// - Parameter now: The time, for points whose answer may depend on it; a Job must come out the same every time.
  static func table(_ run: RunContext, point: HookPoint, now: Timestamp? = nil) -> LuaValue {
    let metadata = run.run.metadata
    let trigger = metadata.labels?[BucketSyncNames.Label.trigger] ?? "direct"
    var members: [String: LuaValue] = [
      "point": .json(.string(point.name)),
      "run": object(metadata),
      "params": .json(JSONValue(run.run.spec.parameters ?? [:])),
      "trigger": .json(.string(trigger)),
      "source": side(run.source, run.run.spec.sourceEnv),
      "destination": side(run.destination, run.run.spec.destinationEnv),
    ]
    members["policy"] = run.policy.map(policy)
    members["scheduled_time"] = run.scheduledTime.map { .time($0) }
    members["time"] = (run.scheduledTime ?? metadata.creationTimestamp).map { .time($0) }
    members["now"] = now.map { .time($0) }
    members["timeout"] = .text(run.run.spec.timeout)
    return .table(members)
  }

  /// The table for how a run ended.
  static func outcome(_ outcome: RunOutcome) -> LuaValue {
    var members: [String: LuaValue] = ["result": .json(.string(outcome.result.rawValue))]
    if case .failed(let reason, _) = outcome { members["reason"] = .json(.string(reason)) }
    members["message"] = .text(outcome.message)
    return .table(members)
  }

  private static func policy(_ policy: BucketSyncPolicy) -> LuaValue {
    guard case .table(var members) = object(policy.metadata) else { return .table([:]) }
    members["schedule"] = .json(.string(policy.spec.schedule))
    return .table(members)
  }

  private static func object(_ metadata: ObjectMeta) -> LuaValue {
    let annotations = (metadata.annotations ?? [:]).filter {
      $0.key != "kubectl.kubernetes.io/last-applied-configuration"
    }
    var members: [String: LuaValue] = [
      "name": .json(.string(metadata.name)),
      "labels": .json(JSONValue(metadata.labels ?? [:])),
      "annotations": .json(JSONValue(annotations)),
    ]
    members["namespace"] = .text(metadata.namespace)
    members["uid"] = .text(metadata.uid)
    members["created"] = metadata.creationTimestamp.map { .time($0) }
    return .table(members)
  }

  private static func side(_ path: BucketPath, _ variables: [EnvVar]?) -> LuaValue {
    let env = (variables ?? []).map { variable in
      (variable.name, variable.valueFrom.map { ["valueFrom": $0] } ?? ["literal": true] as JSONValue)
    }
    return .table([
      "bucket": .json(.string(path.bucket)), "path": .json(.string(path.path)), "rclone": .json(.string(path.rclone)),
      "env": .json(.object(Dictionary(env) { $1 })),
    ])
  }
}

/// The literal values of a run's variables, which must not turn up in logs, messages and events.
struct LiteralValues: Sendable {
  /// Shorter ones are words such as `s3` or `true`.
  private static let shortest = 8
  private let values: [String]

  init(_ run: RunContext) {
    let variables = (run.run.spec.sourceEnv ?? []) + (run.run.spec.destinationEnv ?? [])
    values = variables.compactMap(\.value).filter { $0.utf8.count >= Self.shortest }.sorted {
      $0.utf8.count > $1.utf8.count
    }
  }

  /// `text` without them.
  func redacted(_ text: String) -> String {
    values.reduce(text) { text, value in
      text.split(separator: value, omittingEmptySubsequences: false).joined(separator: "[redacted]")
    }
  }
}

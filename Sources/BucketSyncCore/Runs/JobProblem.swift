// JobProblem: what the core does not accept of plugins. A plugin that lets others decide (scripts, say) can check what
// they answered by the same rules, and name the one at fault.

import BucketSyncAPI
import KubernetesModel

/// A Job, or its name, that cannot be used.
public enum JobProblem: Error, Sendable, Hashable, CustomStringConvertible {
  case badName(String)
  /// A field's path, empty for the whole, and what is wrong with it.
  case field(String, String)

  /// One sentence that names the field, and the rule.
  public var description: String {
    switch self {
    case .badName(let name):
      "\"\(name)\" is no Job name: it must be an RFC 1123 subdomain (lower-case letters, digits, '-', '.') of at most \(Naming.labelLimit) characters"
    case .field(let field, let problem): "the Job's \(field.isEmpty ? "manifest" : field) \(problem)"
    }
  }

  /// Checks the name of a Job.
  public static func check(name: String) throws(JobProblem) {
    guard name.utf8.count <= Naming.labelLimit, Naming.isSubdomain(name) else { throw .badName(name) }
  }

  /// Checks a Job for what would break the promise that a run has one rclone at a time, or make it useless.
  public static func check(_ manifest: JobManifest) throws(JobProblem) {
    guard manifest.json.object != nil else { throw .field("", "is no object") }
    guard !(manifest.podSpec["containers"].array ?? []).isEmpty else {
      throw .field("spec.template.spec.containers", "is empty; a Job needs at least one container")
    }
    let spec = manifest.json["spec"]
    for field in ["parallelism", "completions"] where !spec[field].isNull && spec[field] != 1 {
      throw .field("spec.\(field)", "must be 1: two pods at a time would work on the same bucket")
    }
    for field in ["ttlSecondsAfterFinished", "manualSelector", "selector"] where !spec[field].isNull {
      throw .field("spec.\(field)", "must not be set: the controller keeps and deletes the Job itself")
    }
  }
}

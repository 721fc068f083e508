// What a folder of manifests must not do to runs: a finished one does nothing any more, whatever its manifest says.

internal import BucketSyncAPI
internal import KubernetesModel
internal import StandaloneFolder

enum FinishedRuns {
  /// Refuses to change the spec of a run that has finished, so that nobody waits for what will not happen.
  static let veto: ManifestVeto = { stored, wanted in
    guard stored["kind"].string == BucketSync.resource.kind, stored["status"]["phase"].string == "Finished",
      differs(stored["spec"], from: wanted["spec"])
    else { return nil }
    return ("spec", "the run has finished, so its spec does nothing any more; give it another name to have another run")
  }

  /// Whether a member of `wanted` is not what is stored: labels and annotations may still change.
  private static func differs(_ stored: JSONValue, from wanted: JSONValue) -> Bool {
    guard let members = wanted.object, let present = stored.object else { return stored != wanted }
    return members.contains { name, value in differs(present[name] ?? .null, from: value) }
  }
}

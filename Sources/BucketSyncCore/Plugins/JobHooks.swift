// jobName and buildJob: what the Job of a run is called and what it does.
//
// - Expected flow: names are proposed, then the builder drafts the Job, then transformers change it, in list order,
//   before the locks are taken (so that a broken hook blocks nobody else) and again right before the Job is created.
// - Guarantees: the core then pins the Job's name, namespace, owner and identifying labels, and refuses what would
//   break exclusiveness (more than one pod at a time).
// - Assumptions: the same run gives the same name and Job; hooks have no side effects.
// - Errors: a thrown error blocks the run, no Job is created; it is shown in the run's status and an Event.

public import KubernetesModel

/// Changes the name of a run's Job.
public protocol JobNameHook: Sendable {
  /// - Parameter proposed: The name so far; the run's own name, shortened if need be, to begin with.
  /// - Returns: The name to use. The last hook wins; the result must be an RFC 1123 subdomain of at most 63 characters.
  func jobName(_ run: RunContext, proposed: String) async throws -> String
}

/// Drafts the Job of a run and reads how it went. There is exactly one builder.
public protocol JobBuilder: Sendable {
  /// Drafts the Job.
  /// - Parameter name: The Job's name.
  func buildJob(_ run: RunContext, name: String) async throws -> JobManifest

  /// Reads a Job and its pods. Called whenever one of them changed; must not wait for anything.
  func assess(_ job: Job, pods: [Pod]) -> JobAssessment
}

/// Changes the Job of a run before it is created.
public protocol JobTransformer: Sendable {
  /// - Parameter job: The Job so far.
  /// - Returns: The Job to use instead.
  func buildJob(_ run: RunContext, job: JobManifest) async throws -> JobManifest
}

/// How a Job is doing.
public enum JobAssessment: Sendable, Hashable {
  /// Its pod does not run (yet). `reason` is a CamelCase word, `message` a sentence for people.
  case pending(reason: String, message: String)
  /// Its pod runs.
  case running
  /// It is over.
  case ended(RunOutcome)
}

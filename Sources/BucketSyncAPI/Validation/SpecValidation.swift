// Checks of a spec that the API server cannot make, or that older servers do not make.
//
// All problems are reported at once, so that a manifest is mended in one go. Whatever passes here can be run: what is
// left to go wrong lies outside of the object (a Secret that is missing, a bucket that does not exist).

import CronSchedule
import KubernetesModel

/// Finds everything that is wrong with a spec.
public enum SpecValidation {
  /// Problems of a policy, in the order of its fields; empty if it can be used.
  public static func problems(in spec: BucketSyncPolicy.Spec) -> [FieldProblem] {
    var problems = pathProblems(source: spec.source, destination: spec.destination)
    do throws(CronError) {
      _ = try CronSchedule(spec.schedule)
    } catch {
      problems.append(FieldProblem(field: "spec.schedule", message: error.description))
    }
    problems += EnvValidation.problems(in: spec.sourceEnv ?? [], field: "spec.sourceEnv")
    problems += EnvValidation.problems(in: spec.destinationEnv ?? [], field: "spec.destinationEnv")
    if let limit = spec.syncHistoryLimit, limit < 1 {
      problems.append(
        FieldProblem(
          field: "spec.syncHistoryLimit",
          message: "\(limit) is too few, at least 1 is kept; leave it out to keep all"
        )
      )
    }
    problems += LabelValidation.problems(in: spec.jobLabels ?? [:], field: "spec.jobLabels")
    problems += timeoutProblems(spec.timeout)
    problems += ParameterValidation.problems(in: spec.parameters ?? [:], field: "spec.parameters")
    return problems
  }

  /// Problems of a run, in the order of its fields; empty if it can be used.
  public static func problems(in spec: BucketSync.Spec) -> [FieldProblem] {
    pathProblems(source: spec.source, destination: spec.destination)
      + EnvValidation.problems(in: spec.sourceEnv ?? [], field: "spec.sourceEnv")
      + EnvValidation.problems(in: spec.destinationEnv ?? [], field: "spec.destinationEnv")
      + LabelValidation.problems(in: spec.jobLabels ?? [:], field: "spec.jobLabels")
      + timeoutProblems(spec.timeout)
      + ParameterValidation.problems(in: spec.parameters ?? [:], field: "spec.parameters")
  }

  private static func pathProblems(source: String, destination: String) -> [FieldProblem] {
    var problems: [FieldProblem] = []
    func path(_ text: String, _ field: BucketPath.Remote) -> BucketPath? {
      do throws(BucketPathError) {
        return try BucketPath(text, field: field)
      } catch {
        problems.append(FieldProblem(field: error.field, message: error.message))
        return nil
      }
    }
    let from = path(source, .source)
    let to = path(destination, .destination)
    guard let from, let to, from.overlaps(to) else { return problems }
    let relation =
      from.path == to.path ? "is the same as" : from.contains(to) ? "lies inside of" : "contains"
    return [
      FieldProblem(
        field: "spec.destination",
        message: "\(to.path.debugDescription) \(relation) spec.source (\(from.path.debugDescription)), and both may be "
          + "the same storage; choose another bucket, or prefixes of which neither contains the other, "
          + "such as <bucket>/from and <bucket>/to"
      )
    ]
  }

  private static func timeoutProblems(_ timeout: String?) -> [FieldProblem] {
    guard let timeout else { return [] }
    do throws(DurationError) {
      _ = try DurationText.wholeSeconds(timeout)
      return []
    } catch {
      return [FieldProblem(field: "spec.timeout", message: error.description)]
    }
  }
}

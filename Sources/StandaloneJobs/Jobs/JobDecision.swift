// JobDecision: what is to be done about a Job, without doing it.
//
// A Job has one pod at a time. Its pods are numbered from 0 (an annotation), and `status.failed` says how many of them
// have failed: so the pod that counts is the one of that number, and whatever is written twice, or not written because the
// process was killed, is decided again in the same way. A pod is followed by another only when its end is proven.

internal import FoundationEssentials
internal import KubernetesModel

/// What is known of a Job's present pod.
enum AttemptState: Sendable, Hashable {
  /// There is none, and there was none.
  case none
  /// It was there, and is gone without a trace: somebody removed its object by force.
  case vanished
  case active(isReady: Bool, isBeingDeleted: Bool)
  case succeeded
  case failed(at: Timestamp, byJobDeadline: Bool)
  /// It was deleted and will never run.
  case dropped
  /// It has stopped because its Job was suspended, and does not count.
  case withdrawn
}

/// How a Job ends.
struct JobEnd: Sendable, Hashable {
  /// `Complete` or `Failed`.
  var type: String
  var reason: String
  var message: String

  static let complete = JobEnd(
    type: "Complete", reason: "CompletionsReached", message: "Reached expected number of succeeded pods")
  static let deadline = JobEnd(
    type: "Failed", reason: "DeadlineExceeded", message: "Job was active longer than specified deadline")
  static let backoffLimit = JobEnd(
    type: "Failed", reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit")
}

/// What is to be done about a Job.
struct JobDecision: Sendable, Hashable {
  enum Action: Sendable, Hashable {
    case nothing
    case createPod(attempt: Int)
    case deletePod
    case end(JobEnd)
  }

  var action: Action
  /// Failed pods, the present one included.
  var failed: Int
  /// Why the Job fails as soon as its pod has stopped.
  var failureTarget: JobEnd?
  /// When to decide again though nothing has happened.
  var again: Duration?

  /// Decides.
  /// - Parameter lastFailure: When the pod before failed, if that is known.
  init(_ job: LocalJob, _ attempt: AttemptState, lastFailure: Timestamp?, now: Date) {
    failed = Int(job.status?["failed"].integer ?? 0)
    action = .nothing
    var lastFailure = lastFailure
    var isActive = false
    var hitDeadline = false
    switch attempt {
    case .succeeded:
      action = .end(.complete)
      return
    case .failed(let time, let byJobDeadline):
      failed += 1
      lastFailure = time
      hitDeadline = byJobDeadline
    case .vanished:
      failed += 1
      lastFailure = Timestamp(now)
    case .dropped:
      failed += 1
      lastFailure = Timestamp(now)
    case .active: isActive = true
    case .none, .withdrawn: break
    }
    if job.hasCondition("FailureTarget") || hitDeadline { failureTarget = job.failureTarget ?? .deadline }
    if let target = failureTarget {
      action = isActive ? .deletePod : .end(target)
      return
    }
    if failed > job.backoffLimit {
      action = .end(.backoffLimit)
      return
    }
    if job.metadata.isBeingDeleted { return }
    if job.isSuspended {
      action = isActive ? .deletePod : .nothing
      return
    }
    // Its object goes first: a pod that is made again has the same name.
    if attempt == .withdrawn { return }
    if let rest = job.remainingTime(at: now) {
      guard rest > .zero else {
        failureTarget = .deadline
        action = isActive ? .deletePod : .end(.deadline)
        return
      }
      // Times are kept in whole seconds.
      again = rest + .milliseconds(10)
    }
    guard !isActive else { return }
    let pause = Self.pause(failures: failed, since: lastFailure, now: now)
    if pause > .zero { again = min(again ?? pause, pause) } else { action = .createPod(attempt: failed) }
  }

  /// What is left of the pause after so many failures: 10 s, doubled each time, 6 minutes at most.
  private static func pause(failures: Int, since last: Timestamp?, now: Date) -> Duration {
    guard failures > 0, let last else { return .zero }
    let seconds = min(10 * Double(1 << min(failures - 1, 10)), 360)
    return .seconds(min(max(0, seconds - now.timeIntervalSince(last.date)), seconds))
  }
}

extension LocalJob {
  /// Why it is going to fail, once its pods have stopped.
  var failureTarget: JobEnd? {
    let condition = (status?["conditions"].array ?? []).first { $0["type"].string == "FailureTarget" }
    guard let condition, condition["status"].string == "True" else { return nil }
    return JobEnd(
      type: "Failed", reason: condition["reason"].string ?? "", message: condition["message"].string ?? "")
  }
}

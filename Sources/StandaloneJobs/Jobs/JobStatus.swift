// The status of a Job, as the Job controller of Kubernetes writes it.

internal import FoundationEssentials
internal import KubernetesModel

extension LocalJob {
  /// The status that follows from a decision, to be merged into the present one.
  func status(after decision: JobDecision, _ attempt: AttemptState, createdPod: Bool, now: Timestamp) -> JSONValue {
    var isActive = createdPod
    var isReady = false
    var isTerminating = false
    if case .active(let ready, let deleted) = attempt {
      (isActive, isReady, isTerminating) = (!deleted, ready && !deleted, deleted)
    }
    let succeeded = attempt == .succeeded ? 1 : Int(status?["succeeded"].integer ?? 0)
    var new: JSONValue = [
      // A pod that is deleted stays the present one until it has stopped, so it still counts as there.
      "active": isActive || isTerminating ? 1 : nil, "ready": isReady ? 1 : 0, "terminating": isTerminating ? 1 : 0,
      "failed": decision.failed > 0 ? .integer(Int64(decision.failed)) : nil,
      "succeeded": succeeded > 0 ? .integer(Int64(succeeded)) : nil, "uncountedTerminatedPods": [:],
    ]
    var conditions = status?["conditions"].array ?? []
    if isSuspended, !isFinished {
      if !isActive { new["startTime"] = nil }
      set(&conditions, "Suspended", isTrue: true, "JobSuspended", "Job suspended", now)
    } else {
      new["startTime"] = .string("\(startTime ?? now)")
      if attempt != .withdrawn, !isTerminating, conditions.contains(where: { $0["type"].string == "Suspended" }) {
        set(&conditions, "Suspended", isTrue: false, "JobResumed", "Job resumed", now)
      }
    }
    if let target = decision.failureTarget { add(&conditions, "FailureTarget", target, now) }
    if case .end(let end) = decision.action {
      add(&conditions, end.type == "Complete" ? "SuccessCriteriaMet" : "FailureTarget", end, now)
      add(&conditions, end.type, end, now)
      if end.type == "Complete" { new["completionTime"] = .string("\(now)") }
    }
    new["conditions"] = conditions.isEmpty ? nil : .array(conditions)
    return new
  }

  /// When it ended.
  var finishTime: Timestamp? {
    let end = (status?["conditions"].array ?? []).first {
      ["Complete", "Failed"].contains($0["type"].string) && $0["status"].string == "True"
    }
    return (end?["lastTransitionTime"].string).flatMap { Timestamp($0) }
  }

  private func add(_ conditions: inout [JSONValue], _ type: String, _ end: JobEnd, _ now: Timestamp) {
    set(&conditions, type, isTrue: true, end.reason, end.message, now)
  }

  private func set(
    _ conditions: inout [JSONValue], _ type: String, isTrue: Bool, _ reason: String, _ message: String, _ now: Timestamp
  ) {
    let status = isTrue ? "True" : "False"
    let index = conditions.firstIndex { $0["type"].string == type }
    if let index, conditions[index]["status"].string == status { return }
    let condition: JSONValue = [
      "type": .string(type), "status": .string(status), "reason": .string(reason), "message": .string(message),
      "lastProbeTime": .string("\(now)"), "lastTransitionTime": .string("\(now)"),
    ]
    if let index { conditions[index] = condition } else { conditions.append(condition) }
  }
}

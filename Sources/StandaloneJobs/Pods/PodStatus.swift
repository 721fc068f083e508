// What the status of a pod says, in the kubelet's words. Readers (plugins, kubectl, people) need not know the difference.

internal import FoundationEssentials
internal import KubernetesModel

/// How a pod is doing.
enum PodReport: Sendable, Hashable {
  /// All places are taken.
  case unschedulable(String)
  /// The container cannot be started yet: `CreateContainerConfigError` …
  case waiting(reason: String, message: String)
  case running(StartedRecord)
  case ended(EndedRecord)
}

/// Builds statuses.
struct PodStatus: Sendable {
  let nodeName: String

  /// The pod's status, to be merged into the one it has.
  func status(of pod: LocalPod, _ report: PodReport, startedAt: Timestamp?, now: Timestamp) -> JSONValue {
    let old = pod.status ?? .null
    var status: JSONValue = [
      "phase": .string(phase(report)), "reason": nil, "message": nil, "qosClass": old["qosClass"],
      "hostIP": "127.0.0.1",
    ]
    if status["qosClass"].isNull { status["qosClass"] = "BestEffort" }
    if case .ended(let record) = report, let (reason, message) = Self.deadline(record.cause) {
      status["reason"] = .string(reason)
      status["message"] = .string(message)
    }
    if case .unschedulable = report {
      status["startTime"] = nil
      status["containerStatuses"] = nil
    } else {
      let start = old["startTime"].string ?? startedAt.map { "\($0)" } ?? "\(now)"
      status["startTime"] = .string(start)
      status["containerStatuses"] = [container(pod, report)]
    }
    status["conditions"] = .array(
      conditions(report, container: pod.containerName, old: old["conditions"].array ?? [], now: now))
    return status
  }

  /// The kubelet's words for what ended a pod before it did so itself.
  static func deadline(_ cause: EndedRecord.Cause?) -> (reason: String, message: String)? {
    switch cause {
    case .podDeadline: ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
    case .jobDeadline: ("DeadlineExceeded", jobDeadlineMessage)
    case .stopped, nil: nil
    }
  }

  static let jobDeadlineMessage = "Job was active longer than specified deadline"

  private func phase(_ report: PodReport) -> String {
    switch report {
    case .unschedulable, .waiting: "Pending"
    case .running: "Running"
    case .ended(let record):
      record.exitCode == 0 && Self.deadline(record.cause) == nil ? "Succeeded" : "Failed"
    }
  }

  private func container(_ pod: LocalPod, _ report: PodReport) -> JSONValue {
    let isRunning = if case .running = report { true } else { false }
    return [
      "name": .string(pod.containerName), "image": .string(pod.container["image"].string ?? ""), "imageID": "",
      "restartCount": 0, "ready": .bool(isRunning), "started": .bool(isRunning), "lastState": [:],
      "state": state(report),
    ]
  }

  private func state(_ report: PodReport) -> JSONValue {
    switch report {
    case .unschedulable(let message): return ["waiting": ["reason": "Unschedulable", "message": .string(message)]]
    case .waiting(let reason, let message):
      return ["waiting": ["reason": .string(reason), "message": .string(message)]]
    case .running(let record): return ["running": ["startedAt": .string("\(record.startedAt)")]]
    case .ended(let record):
      // A container that never started has the time that Kubernetes has for "never".
      let start = record.startedAt ?? Timestamp(unixSeconds: 0)
      var terminated: JSONValue = [
        "exitCode": .integer(Int64(record.exitCode)), "reason": .string(record.reason),
        "startedAt": .string("\(start)"), "finishedAt": .string("\(record.finishedAt)"),
      ]
      if let message = record.message, !message.isEmpty { terminated["message"] = .string(message) }
      return ["terminated": terminated]
    }
  }

  private func conditions(
    _ report: PodReport, container: String, old: [JSONValue], now: Timestamp
  ) -> [JSONValue] {
    var wanted: [(type: String, isTrue: Bool, reason: String?, message: String?)]
    switch report {
    case .unschedulable(let message): wanted = [("PodScheduled", false, "Unschedulable", message)]
    case .waiting:
      let message = "containers with unready status: [\(container)]"
      wanted = [
        ("Initialized", true, nil, nil), ("Ready", false, "ContainersNotReady", message),
        ("ContainersReady", false, "ContainersNotReady", message), ("PodScheduled", true, nil, nil),
      ]
    case .running:
      wanted = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map { ($0, true, nil, nil) }
    case .ended(let record):
      let reason = record.exitCode == 0 ? "PodCompleted" : "PodFailed"
      wanted = [
        ("Initialized", true, record.exitCode == 0 ? reason : nil, nil), ("Ready", false, reason, nil),
        ("ContainersReady", false, reason, nil), ("PodScheduled", true, nil, nil),
      ]
    }
    return wanted.map { condition in
      let status = condition.isTrue ? "True" : "False"
      let before = old.first { $0["type"].string == condition.type && $0["status"].string == status }
      let since = before?["lastTransitionTime"].string ?? "\(now)"
      var json: JSONValue = [
        "type": .string(condition.type), "status": .string(status), "lastProbeTime": nil,
        "lastTransitionTime": .string(since),
      ]
      if let reason = condition.reason { json["reason"] = .string(reason) }
      if let message = condition.message { json["message"] = .string(message) }
      return json
    }
  }
}

extension JSONValue {
  /// This document with a merge patch (RFC 7396) applied.
  func merging(_ patch: JSONValue) -> JSONValue {
    guard let changes = patch.object else { return patch }
    var members = object ?? [:]
    for (name, change) in changes {
      members[name] = change.isNull ? nil : (members[name] ?? .null).merging(change)
    }
    return .object(members)
  }
}

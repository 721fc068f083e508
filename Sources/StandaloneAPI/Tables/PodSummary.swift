// A pod in three words: how many containers are ready, what is the matter with it, how often they were started again.

import KubernetesModel

/// What `kubectl get pods` shows of a pod.
struct PodSummary: Sendable {
  private(set) var ready = 0
  /// `Running`, `Completed`, `Init:0/1`, `CrashLoopBackOff` …
  private(set) var reason: String
  /// `2 (5m ago)`
  private(set) var restarts: String

  init(_ pod: JSONValue, _ now: Timestamp) {
    let status = pod["status"]
    reason = status["reason"].string.flatMap { $0.isEmpty ? nil : $0 } ?? status["phase"].string ?? "Unknown"
    restarts = Self.restarts(status["initContainerStatuses"].array ?? [], now)
    let initializing = Self.initializing(pod)
    if let initializing { reason = initializing }
    if initializing == nil || Self.isTrue("Initialized", status) {
      let statuses = status["containerStatuses"].array ?? []
      restarts = Self.restarts(statuses, now)
      var isRunning = false
      for container in statuses.reversed() {
        let state = container["state"]
        if let waiting = state["waiting"]["reason"].string, !waiting.isEmpty {
          reason = waiting
        } else if !state["terminated"].isNull {
          reason = Self.ended(state["terminated"])
        } else if container["ready"] == true, !state["running"].isNull {
          isRunning = true
          ready += 1
        }
      }
      if reason == "Completed", isRunning { reason = Self.isTrue("Ready", status) ? "Running" : "NotReady" }
    }
    let hasEnded = ["Succeeded", "Failed"].contains(status["phase"].string)
    if pod.isBeingDeleted, !hasEnded { reason = "Terminating" }
  }

  /// What keeps the pod from starting its containers; `nil` when nothing does.
  private static func initializing(_ pod: JSONValue) -> String? {
    let statuses = pod["status"]["initContainerStatuses"].array ?? []
    for (index, container) in statuses.enumerated() {
      let state = container["state"]
      if state["terminated"]["exitCode"].integer == 0 { continue }
      if !state["terminated"].isNull { return "Init:\(ended(state["terminated"]))" }
      if let waiting = state["waiting"]["reason"].string, !waiting.isEmpty, waiting != "PodInitializing" {
        return "Init:\(waiting)"
      }
      return "Init:\(index)/\(pod["spec"]["initContainers"].array?.count ?? statuses.count)"
    }
    return nil
  }

  private static func ended(_ terminated: JSONValue) -> String {
    if let reason = terminated["reason"].string, !reason.isEmpty { return reason }
    if let signal = terminated["signal"].integer, signal != 0 { return "Signal:\(signal)" }
    return "ExitCode:\(terminated["exitCode"].integer ?? 0)"
  }

  private static func restarts(_ statuses: [JSONValue], _ now: Timestamp) -> String {
    let count = statuses.reduce(Int64(0)) { $0 + ($1["restartCount"].integer ?? 0) }
    let last = statuses.compactMap { $0["lastState"]["terminated"]["finishedAt"].string.flatMap { Timestamp($0) } }
      .max()
    guard count > 0, let last else { return "\(count)" }
    return "\(count) (\(AgeText(from: last, to: now)) ago)"
  }

  private static func isTrue(_ condition: String, _ status: JSONValue) -> Bool {
    (status["conditions"].array ?? []).contains { $0["type"] == .string(condition) && $0["status"] == "True" }
  }
}

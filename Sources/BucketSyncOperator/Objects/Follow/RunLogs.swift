// `logs`: what rclone wrote, of the pods that a run has, or had.
//
// A run's Job is deleted when the run ends, and its pods with it. A standalone operator keeps their logs for a while, and
// gives them out under the pods' names, which the Events of the Job tell.

internal import BucketSyncAPI
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel

struct RunLogs: Sendable {
  private static let container = "rclone"
  private static let events = ResourceType(group: "", version: "v1", kind: "Event", plural: "events")

  let site: ObjectSite
  var tailLines: Int?
  let write: @Sendable (Data) -> Void
  let warn: @Sendable (String) -> Void

  /// Writes the log as far as there is one.
  func show(_ run: BucketSync) async throws {
    let names = try await podNames(of: run)
    var isAnyShown = false
    for name in names {
      do {
        let key = ObjectKey(namespace: run.metadata.namespace, name: name)
        let log = try await log(of: key)
        write(Data(log.utf8))
        isAnyShown = true
      } catch {
        guard error.isNotFound || error.statusCode == 400 else { throw site.explained(error) }
      }
    }
    if !isAnyShown { throw missing(run) }
  }

  /// Writes the log until the run's pod has ended, from the moment on when there is one.
  func follow(_ run: BucketSync) async throws {
    guard !run.isFinished else { return try await show(run) }
    var told = ""
    let events = RunEvents(site: site, key: run.key, tailLines: tailLines)
    let failure: CommandFailure? = try await events.first { event in
      switch event {
      case .run(let run):
        let waits = run.waits
        if let waits, waits != told {
          warn("\(run.metadata.name): \(waits)")
          told = waits
        }
        return run.isFinished ? .some(nil) : nil
      case .gone: return CommandFailure("run \(run.metadata.name) was deleted")
      case .log(let piece):
        write(piece)
        return nil
      case .logEnded(let error): return .some(error.map { site.explained($0) })
      case .tick: return nil
      }
    }
    if let failure { throw failure }
  }

  private func log(of key: ObjectKey) async throws(APIError) -> String {
    do {
      return try await site.client.log(ofPod: key, container: Self.container, tailLines: tailLines)
    } catch {
      // A site script may have called the container otherwise.
      guard error.statusCode == 400 else { throw error }
      return try await site.client.log(ofPod: key, tailLines: tailLines)
    }
  }

  /// The names of the run's pods, the oldest first; those that are gone too, as far as they can be known.
  private func podNames(of run: BucketSync) async throws -> [String] {
    let pods = try await site.explaining { try await site.pods(ofRun: run.metadata.uid ?? "") }
    if !pods.isEmpty { return pods.map(\.metadata.name) }
    guard let uid = run.status?.jobUID,
      let events = try? await site.client.list(
        Self.events, namespace: run.metadata.namespace, fields: "involvedObject.uid=\(uid)"
      ).items
    else { return [] }
    let start = "Created pod: "
    return events.filter { $0["reason"] == "SuccessfulCreate" }.compactMap { $0["message"].string }
      .filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
  }

  private func missing(_ run: BucketSync) -> CommandFailure {
    let name = run.metadata.name
    guard run.isFinished else {
      return CommandFailure(
        "run \(name) has no log yet: \(run.waits ?? "its pod has not started"); wait for it with --follow")
    }
    let result = run.status?.result?.rawValue ?? "finished"
    let error = run.status?.error.map { ": \($0)" } ?? ""
    let why = run.status?.job == nil ? "it had no Job" : "its Job is gone, and its log with it"
    return CommandFailure(
      "run \(name) has no log: \(why). It ended as \(result)\(error); more: homelab-helper bucket-sync describe run "
        + "\(name) -n \(run.metadata.namespace ?? "default")")
  }
}

extension BucketSync {
  /// What the run waits for; `nil` if it does not wait.
  var waits: String? {
    switch status?.phase {
    case nil: return "waits for the operator"
    case .initialize?:
      let locks = status?.conditions?[ConditionType.locksAcquired]
      return "waits: " + (status?.error ?? (locks?.status == .no ? locks?.message : nil) ?? "for its locks")
    case .sync?: return status?.error.map { "waits for its pod: \($0)" }
    default: return nil
    }
  }
}

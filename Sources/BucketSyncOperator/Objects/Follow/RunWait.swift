// Waiting for a run with its progress shown, and telling its end.

internal import BucketSyncAPI
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import OperatorRuntime

/// How a command ends that waited for a run.
enum RunEnd: Int32, Sendable {
  case succeeded = 0
  /// Failed, rejected, or cancelled.
  case failed = 1
  /// As timeout(1).
  case timedOut = 124
  /// As a shell has it of a program that was interrupted.
  case interrupted = 130
}

/// Shows a run until it ends.
struct RunWait: Sendable {
  let site: ObjectSite
  let name: String
  let terminal: Terminal

  /// What is known of the run.
  private struct View {
    var run: BucketSync?
    var progress = TransferProgress()
    var hasProgress = false
    var rest = ""
    var since: Duration
    var hasToldLogTrouble = false
  }

  /// Returns when the run has ended.
  func untilEnd() async throws -> RunEnd {
    var display = ProgressDisplay(terminal, time: site.time)
    var view = View(since: site.time.uptime)
    let events = RunEvents(
      site: site, key: ObjectKey(namespace: site.namespace, name: name), hasBeenThere: false,
      interval: terminal.canRewrite ? .seconds(1) : nil)
    defer { display.clear() }
    return try await events.first { event in
      switch event {
      case .run(let run):
        view.run = run
        if run.isFinished { return end(run, view, &display) }
      case .gone:
        display.tell(terminal.colored("\(name): Cancelled", .red) + ": the run was deleted before it had finished")
        return .failed
      case .log(let piece): take(piece, &view)
      case .logEnded(let error):
        if let error, !view.hasToldLogTrouble {
          view.hasToldLogTrouble = true
          display.tell("\(name): no progress to be seen: \(error)")
        }
      case .tick: break
      }
      show(view, &display)
      return nil
    }
  }

  private func take(_ piece: Data, _ view: inout View) {
    view.rest += String(decoding: piece, as: UTF8.self)
    while let end = view.rest.firstIndex(where: \.isNewline) {
      if view.progress.take(view.rest[..<end]) { view.hasProgress = true }
      view.rest = String(view.rest[view.rest.index(after: end)...])
    }
    // No line about progress is so long.
    if view.rest.utf8.count > 4096 { view.rest = "" }
  }

  private func show(_ view: View, _ display: inout ProgressDisplay) {
    guard let run = view.run else { return }
    let elapsed =
      terminal.canRewrite ? [DurationText.format(.seconds((site.time.uptime - view.since).components.seconds))] : []
    switch run.status?.phase {
    case nil: display.show("\(name): waits for the operator", elapsed)
    case .initialize?:
      let locks = run.status?.conditions?[BucketSync.ConditionType.locksAcquired]
      let reason = run.status?.error ?? (locks?.status == .no ? locks?.message : nil)
      display.show("\(name): waits", (reason.map { [$0] } ?? ["for its locks"]) + elapsed)
    case .sync?:
      if let trouble = run.status?.error { return display.show("\(name): waits for its pod", [trouble] + elapsed) }
      display.show("\(name): syncs", (view.hasProgress ? view.progress.parts : []) + elapsed, isNumbers: true)
    case .finalize?: display.show("\(name): ends", elapsed)
    case .finished?, .unknown?: break
    }
  }

  private func end(_ run: BucketSync, _ view: View, _ display: inout ProgressDisplay) -> RunEnd {
    let status = run.status
    let time = status?.duration.map { " after \($0)" } ?? ""
    switch status?.result {
    case .succeeded?:
      let what = view.progress.summary.map { ": \($0)" } ?? ""
      display.tell(terminal.colored("\(name): Succeeded", .green) + time + what)
      return .succeeded
    case .skipped?:
      let reason = (status?.conditions?[BucketSync.ConditionType.complete]?.message).map { ": \($0)" } ?? ""
      display.tell(terminal.colored("\(name): Skipped", .yellow) + time + reason)
      return .succeeded
    default:
      let reason = status?.conditions?[BucketSync.ConditionType.failed]?.reason
      display.tell(
        terminal.colored("\(name): \(status?.result?.rawValue ?? "Failed")", .red) + time
          + (reason.map { " (\($0))" } ?? ""))
      if let error = status?.error { display.tell("  \(error)") }
      display.tell("  more: homelab-helper bucket-sync describe run \(name) -n \(site.namespace)")
      return .failed
    }
  }
}

// Everything that happens to one run, as one sequence: changes of its object, of its pods, and what rclone logs.
//
// Watches, no polling: a reflector each, which lists and watches again when its connection breaks.

internal import BucketSyncAPI
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime

enum RunEvent: Sendable {
  /// The run as it is now.
  case run(BucketSync)
  /// It was there, and is gone.
  case gone
  /// A piece of the log of rclone.
  case log(Data)
  /// The log has ended, or cannot be had, and why.
  case logEnded(APIError?)
  /// Time has passed.
  case tick
}

/// Follows one run until the task is cancelled.
struct RunEvents: Sendable {
  /// The container that runs rclone, unless a site script calls it otherwise.
  private static let container = "rclone"

  let site: ObjectSite
  let key: ObjectKey
  /// How much of the log is wanted from before; all by default.
  var tailLines: Int?
  var withLog = true
  /// Whether the run is known to have been there: if it is not any more, it is gone.
  var hasBeenThere = true
  /// How often to say that time has passed; never by default.
  var interval: Duration?

  /// Calls `body` with each event until it answers with something else than `nil`.
  func first<Answer: Sendable>(where body: (RunEvent) async throws -> Answer?) async throws -> Answer {
    let (events, continuation) = AsyncStream.makeStream(of: RunEvent.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      let uid = FirstValue<String>()
      group.addTask { try await followRun(uid, continuation) }
      if withLog { group.addTask { try await followLog(of: uid.value(), continuation) } }
      if let interval {
        group.addTask {
          while true {
            try await site.time.sleep(for: interval)
            continuation.yield(.tick)
          }
        }
      }
      for await event in events {
        if let answer = try await body(event) { return answer }
      }
      throw CancellationError()
    }
  }

  private func followRun(
    _ uid: FirstValue<String>, _ events: AsyncStream<RunEvent>.Continuation
  ) async throws {
    let store = ObjectStore<BucketSync>()
    store.onChange { change in
      switch change {
      case .added(let run), .updated(_, let run):
        if let own = run.metadata.uid { uid.set(own) }
        events.yield(.run(run))
      case .deleted: events.yield(.gone)
      }
    }
    defer { events.finish() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await reflector(store, fields: "metadata.name=\(key.name)").run() }
      group.addTask {
        try await store.waitUntilSynced()
        if hasBeenThere, store[key] == nil { events.yield(.gone) }
      }
      while try await group.next() != nil {}
    }
  }

  /// Follows the log of the run's pod from the moment on when there is one.
  private func followLog(of uid: String, _ events: AsyncStream<RunEvent>.Continuation) async throws {
    let started = FirstValue<Pod>()
    let store = ObjectStore<Pod>()
    store.onChange { change in
      if case .deleted = change { return }
      if change.object.status?.containerStatuses?.contains(where: { $0.state?.hasStarted ?? false }) ?? false {
        started.set(change.object)
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await reflector(store, labels: "\(BucketSyncNames.Label.runUID)=\(uid)").run() }
      group.addTask {
        let pod = try await started.value()
        let names = (pod.status?.containerStatuses ?? []).map(\.name)
        let container = names.contains(Self.container) ? Self.container : names.first
        events.yield(.logEnded(try await readLog(pod.key, container, events)))
      }
      try await group.next()
    }
  }

  /// - Returns: Why it ended early, if it did.
  private func readLog(
    _ pod: ObjectKey, _ container: String?, _ events: AsyncStream<RunEvent>.Continuation
  ) async throws -> APIError? {
    var failures = 0
    while true {
      do {
        let log = try await site.client.followLog(ofPod: pod, container: container, tailLines: tailLines)
        for try await piece in log { events.yield(.log(piece)) }
        return nil
      } catch let error as APIError {
        try Task.checkCancellation()
        // A container that has just started may have no log yet.
        failures += 1
        guard failures < 5, error.isPassing || error.statusCode == 400 else { return error }
        try await site.time.sleep(for: .milliseconds(200 * failures))
      } catch {
        try Task.checkCancellation()
        return .unreachable("\(error)", mayHaveApplied: false)
      }
    }
  }

  private func reflector<O: KubernetesObject>(
    _ store: ObjectStore<O>, labels: String? = nil, fields: String? = nil
  ) -> Reflector<O> {
    Reflector(
      client: site.client, store: store, namespace: key.namespace, labels: labels, fields: fields, time: site.time,
      random: .system, logger: Logger(label: "bucket-sync") { _ in SwiftLogNoOpLogHandler() },
      metrics: MetricsRegistry())
  }
}

extension Pod.ContainerState {
  fileprivate var hasStarted: Bool { running != nil || terminated != nil }
}

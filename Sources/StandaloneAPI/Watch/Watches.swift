// Watches and logs, whose answers come bit by bit; and what goes on in the background: telling, ending, collecting.

import FoundationEssentials
package import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime

extension EmbeddedAPIServer {
  private static let bookmarkInterval = Duration.seconds(60)
  private static let expiryInterval = Duration.seconds(1800)
  /// How long a watch lives that does not say so itself.
  private static let watchLimit = Duration.seconds(1800)
  /// How long the garbage collector waits after a failure of the disk.
  private static let retryPause = Duration.seconds(5)

  package func stream(_ request: APIRequest) async throws -> APIStream {
    try Task.checkCancellation()
    do {
      let target = try RequestTarget(path: request.path, in: catalog)
      if target.subresource == "log" { return try await openLog(target, request) }
      guard request.method == .get, target.name == nil, ["true", "1"].contains(request.value("watch")) else {
        return APIStream(try await send(request))
      }
      return try watch(target, request)
    } catch let refusal as Refusal {
      return APIStream(refusal.response)
    }
  }

  /// The log of a container, as far as somebody keeps logs: of a pod that is gone, too, if there is one.
  func openLog(_ target: RequestTarget, _ request: APIRequest) async throws -> APIStream {
    guard let logs, target.definition == .pods else {
      throw Refusal(404, "NotFound", "this server has no logs")
    }
    do {
      let pod = try verbs.object(target)
      return await log(of: target, uid: pod["metadata"]["uid"].string ?? "", logs, request)
    } catch {
      guard error.code == 404 else { throw error }
      let log = await log(of: target, uid: "", logs, request)
      guard log.statusCode == 200 else { throw error }
      return log
    }
  }

  private func log(
    of target: RequestTarget, uid: String, _ logs: any ContainerLogs, _ request: APIRequest
  ) async -> APIStream {
    func flag(_ name: String) -> Bool { ["true", "1"].contains(request.value(name)) }
    func number(_ name: String) -> Int? { request.value(name).flatMap { Int($0) } }
    return await logs.log(
      ContainerLogRequest(
        namespace: target.namespace ?? "", pod: target.name ?? "", uid: uid, container: request.value("container"),
        follow: flag("follow"), previous: flag("previous"),
        timestamps: flag("timestamps"), tailLines: number("tailLines"), limitBytes: number("limitBytes"),
        sinceSeconds: number("sinceSeconds")))
  }

  private func watch(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> APIStream {
    let selector = try ObjectSelector(
      labels: request.value("labelSelector"), fields: request.value("fieldSelector"), of: target.definition)
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream(
      bufferingPolicy: .bufferingOldest(Watcher.bufferLimit))
    let limit = request.value("timeoutSeconds").flatMap { Int($0) }.map { Duration.seconds($0) } ?? Self.watchLimit
    let watcher = Watcher(
      definition: target.definition, namespace: target.namespace, selector: selector,
      sendsBookmarks: request.value("allowWatchBookmarks") == "true", end: time.uptime + limit,
      form: try watchForm(target, request), continuation: continuation)
    if try start(watcher, target, request) {
      watchCount += 1
      let number = watchCount
      watchers[number] = watcher
      continuation.onTermination = { [weak self] _ in
        Task { [weak self] in await self?.forget(number) }
      }
      hasWork.raise()
    }
    return APIStream(statusCode: 200, headers: ["content-type": "application/json"], body: body)
  }

  private func forget(_ number: Int) { watchers[number] = nil }

  private func watchForm(_ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> Watcher.Form {
    switch try AnswerForm(request) {
    case .objects: .objects
    case .metadata: .metadata
    case .table(let version): .table(try table(target, request, version: version), time)
    }
  }

  /// Tells a new watch what it missed.
  /// - Returns: Whether it goes on.
  private func start(_ watcher: Watcher, _ target: RequestTarget, _ request: APIRequest) throws(Refusal) -> Bool {
    let version = request.value("resourceVersion") ?? ""
    let wantsState = request.value("sendInitialEvents") == "true"
    guard !wantsState, let revision = Int64(version), revision > 0 else {
      guard wantsState || version.isEmpty || version == "0" else {
        throw .badRequest("resourceVersion \"\(version)\" is no version of this server")
      }
      for body in try selected(target, request) where !watcher.tell(existing: body) { return false }
      return !wantsState || watcher.bookmark(verbs.database.revision, isEndOfStart: true)
    }
    // A version from before what is remembered, or of another life of this server: list again.
    guard revision >= verbs.database.compacted, revision <= verbs.database.revision else {
      watcher.fail(.expired(revision, oldest: verbs.database.compacted))
      return false
    }
    let missed = try verbs.storage { () throws(SQLiteError) in
      try verbs.database.changes(target.definition.storageName, after: revision)
    }
    return missed.allSatisfy(watcher.tell)
  }

  /// Tells watches and the garbage collector of changes.
  func tell(_ changes: [StoredChange]) {
    for change in changes {
      for (number, watcher) in watchers where !watcher.tell(change) { watchers[number] = nil }
      candidates += (try? verbs.candidates(after: change)) ?? []
    }
    if !candidates.isEmpty { hasWork.raise() }
  }

  // MARK: In the background

  /// Collects garbage and ends watches in time, until the task is cancelled.
  package func run() async throws {
    // What waits for its end from before the start.
    candidates += try verbs.candidates()
    var bookmarkAt = time.uptime + Self.bookmarkInterval
    var expiryAt = time.uptime
    while true {
      try Task.checkCancellation()
      hasWork = Signal()
      var pause = Self.bookmarkInterval
      let now = time.uptime
      do throws(Refusal) {
        while try collectGarbage() { await Task.yield() }
        if now >= expiryAt {
          let options = WriteOptions(now: Timestamp(time.now))
          try write { verbs throws(Refusal) in try verbs.forgetOldEvents(options) }
          expiryAt = now + Self.expiryInterval
        }
      } catch {
        logger.error("garbage cannot be collected: \(error)")
        pause = Self.retryPause
      }
      if now >= bookmarkAt {
        sendBookmarks()
        bookmarkAt = now + Self.bookmarkInterval
      }
      endWatches(at: now)
      let next = min(watchers.values.map(\.end).min() ?? bookmarkAt, bookmarkAt, max(expiryAt, now + pause))
      try? await time.sleep(for: min(pause, max(.zero, next - now)), orUntil: hasWork)
    }
  }

  /// Does one thing that is left to do after owners or namespaces went; whether there was anything.
  package func collectGarbageOnce() throws -> Bool { try collectGarbage() }

  private func collectGarbage() throws(Refusal) -> Bool {
    let now = Timestamp(time.now)
    while let address = candidates.first {
      let didSomething = try write { verbs throws(Refusal) in
        try verbs.collect(address, WriteOptions(now: now))
      }
      if didSomething { return true }
      candidates.removeFirst()
    }
    return false
  }

  private func endWatches(at now: Duration) {
    for (number, watcher) in watchers where watcher.end <= now {
      // The last word is from where to go on.
      if watcher.sendsBookmarks { _ = watcher.bookmark(verbs.database.revision) }
      watcher.continuation.finish()
      watchers[number] = nil
    }
  }

  package func sendBookmarks() {
    for (number, watcher) in watchers where watcher.sendsBookmarks {
      if !watcher.bookmark(verbs.database.revision) { watchers[number] = nil }
    }
  }

  /// Forgets the changes up to `revision`, or all so far: watches from before are told to list again.
  package func compact(to revision: Int64? = nil) throws {
    let latest = verbs.database.revision
    try verbs.database.compact(to: min(revision ?? latest, latest))
  }
}

extension APIStream {
  /// An answer that is there already.
  init(_ response: APIResponse) {
    let (body, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
    continuation.yield(response.body)
    continuation.finish()
    self.init(statusCode: response.statusCode, headers: response.headers, body: body)
  }
}

// PodProcesses: the processes of pods, as this machine has them. What the API says of pods is PodReconciler's business.
//
// All calls about one pod come from one worker at a time, so nothing happens between a look and what follows from it.
// The rules that keep two programs of a run apart:
//
// - A pod is started by whoever holds its lock, and the lock goes to the supervisor as it is started.
// - A pod is over when its lock is free. A supervisor that was started has written down the end; if it could not,
//   "lost" is written under the lock, and nobody is ever started for this pod again.
// - A process is signalled only by a descriptor (pidfd) that was opened first and compared after: numbers are used again.

internal import FoundationEssentials
internal import Glibc
internal import KubernetesModel
internal import Logging
internal import Synchronization

/// How a pod's process is doing.
enum ProcessState: Sendable, Hashable {
  /// None was started.
  case none
  /// One was started and has ended before it started the program; why, if it said so.
  case neverRan(String)
  /// The supervisor lives; without a record the program does not run yet.
  case running(StartedRecord?)
  case ended(EndedRecord)
}

/// The processes of pods.
final class PodProcesses: Sendable {
  private struct Entry {
    var identity: PodIdentity
    var folder: PodFolder
    var isRunning = true
    /// Whose end is waited for: the supervisor's, or that of somebody else who holds the lock.
    var watched: WatchedProcess?
    var listening: FolderEvents.Listening?
    /// Uptime at which patience with a supervisor that was told to stop ends.
    var killAt: Duration?
    var grace: Int64?
  }

  private struct Entries {
    var byUID: [String: Entry] = [:]
    /// Pods that are deleted and must not be started any more.
    var refused: [String: ObjectKey] = [:]
  }

  private let root: String
  private let supervisor: SupervisorProgram
  private let time: any TimeSource
  private let logger: Logger
  private let events: DescriptorEvents
  private let folders: FolderEvents
  private let entries = Mutex(Entries())
  private let handler = Mutex<@Sendable (PodIdentity) -> Void>({ _ in })

  init(
    root: String, supervisor: SupervisorProgram, time: any TimeSource, logger: Logger, events: DescriptorEvents
  )
    throws(SystemFailure)
  {
    self.root = root
    self.supervisor = supervisor
    self.time = time
    self.logger = logger
    self.events = events
    folders = try FolderEvents(.entries, events: events)
  }

  /// Calls `handler` whenever something about a pod's process may have changed.
  func onChange(_ handler: @escaping @Sendable (PodIdentity) -> Void) { self.handler.withLock { $0 = handler } }

  // MARK: Looking

  /// The pods with a process that has not been seen to end.
  var running: [PodIdentity] {
    entries.withLock { $0.byUID.values.filter(\.isRunning).map(\.identity) }.sorted { $0.key < $1.key }
  }

  /// Whether anything of the Job runs.
  func isRunning(job uid: String) -> Bool {
    entries.withLock { $0.byUID.values.contains { $0.isRunning && $0.identity.jobUID == uid } }
  }

  /// The pods of this name whose process is known, other than `uid`.
  func others(named key: ObjectKey, than uid: String?) -> [PodIdentity] {
    entries.withLock { $0.byUID.values.map(\.identity).filter { $0.key == key && $0.uid != uid } }
  }

  /// Sees to it that a pod which was never started never will be.
  /// - Returns: Whether nothing of it runs, now and ever.
  func refuse(_ key: ObjectKey, uid: String) -> Bool {
    entries.withLock { entries in
      guard entries.byUID[uid]?.isRunning != true else { return false }
      entries.refused[uid] = key
      return true
    }
  }

  /// How the pod's process is doing, by its lock.
  func state(namespace: String, name: String, uid: String) async throws -> ProcessState {
    let folder = PodFolder(root: root, namespace: namespace, name: name, uid: uid)
    guard let entry = entries.withLock({ $0.byUID[uid] }), entry.isRunning else {
      let ended = await blocking { folder.ended() }
      return ended.map { .ended($0) } ?? .none
    }
    let watched = entry.watched?.identity
    switch try await blocking({ try Finding(folder, watched: watched) }) {
    case .over(let state):
      settle(uid)
      if case .neverRan = state {
        await blocking { folder.remove() }
        entries.withLock { $0.byUID[uid] = nil }
      }
      return state
    case .held(let started):
      if started != nil { entries.withLock { $0.byUID[uid]?.listening = nil } }
      if await blocking({ watched?.isAlive != true }) { try await watch(uid, folder, started) }
      return .running(started)
    }
  }

  /// Forgets what was refused to pods of this name, of which there are none any more.
  func forgetRefusals(_ key: ObjectKey) {
    entries.withLock { $0.refused = $0.refused.filter { $0.value != key } }
  }

  // MARK: Starting

  /// Starts the pod's process.
  /// - Returns: `false` if it must not be started any more.
  func start(_ identity: PodIdentity, _ order: (PodFolder) throws -> LaunchOrder) async throws -> Bool {
    let folder = PodFolder(
      root: root, namespace: identity.namespace, name: identity.name, uid: identity.uid)
    let isAllowed = entries.withLock { entries in
      guard entries.refused[identity.uid] == nil, entries.byUID[identity.uid] == nil else { return false }
      entries.byUID[identity.uid] = Entry(identity: identity, folder: folder)
      return true
    }
    guard isAllowed else { return false }
    do {
      let order = try order(folder)
      let supervisor = supervisor
      guard let launched = try await blocking({ try Self.launch(identity, folder, order, supervisor) }) else {
        changed(identity.uid)
        return true
      }
      follow(identity.uid, folder, launched.process)
      return true
    } catch {
      entries.withLock { $0.byUID[identity.uid] = nil }
      await blocking { folder.remove() }
      throw error
    }
  }

  private struct Launched: Sendable {
    var process: WatchedProcess?
  }

  /// - Returns: `nil` if it runs already.
  /// - Throws: Only when nothing was started.
  private static func launch(
    _ identity: PodIdentity, _ folder: PodFolder, _ order: LaunchOrder, _ supervisor: SupervisorProgram
  ) throws -> Launched? {
    try folder.prepare(identity)
    guard let lock = try PodLock(at: folder.lock), folder.started() == nil else { return nil }
    let memory = try order.memoryFile()
    let log = try Descriptor(folder.supervisorLog, O_WRONLY | O_CREAT | O_APPEND)
    let pid = try supervisor.start(identity, lock: lock, order: memory, log: log)
    // Nobody but this process collects it, so the number is still its own, whether it lives or not.
    return Launched(process: ProcessIdentity(pid: pid).flatMap { WatchedProcess($0) })
  }

  private func follow(_ uid: String, _ folder: PodFolder, _ process: WatchedProcess?) {
    if let process {
      do throws(SystemFailure) {
        try process.onEnd(events) { [weak self] in self?.changed(uid) }
        entries.withLock { $0.byUID[uid]?.watched = process }
      } catch {
        // The next look finds out that nobody is watched.
        logger.warning("cannot watch a process", metadata: ["error": "\(error)"])
      }
    }
    listen(uid, folder)
  }

  /// Waits for the program to be started.
  private func listen(_ uid: String, _ folder: PodFolder) {
    let listening = try? folders.listen(folder.path) { [weak self] in self?.changed(uid) }
    entries.withLock { $0.byUID[uid]?.listening = listening }
    // What happened before anybody listened.
    changed(uid)
  }

  // MARK: Stopping

  /// Tells the pod's processes to stop; kills them once that has taken too long.
  /// - Returns: How long to wait before calling again.
  func stop(uid: String, gracePeriod: Int64) async -> Duration {
    let now = time.uptime
    guard var entry = entries.withLock({ $0.byUID[uid] }), entry.isRunning else { return .zero }
    let killAt = min(entry.killAt ?? .seconds(Int64.max / 2), now + .seconds(gracePeriod) + Self.patience)
    let isNews = entry.grace.map { gracePeriod < $0 } ?? true
    let (folder, watched) = (entry.folder, entry.watched)
    if now >= killAt {
      logger.warning(
        "the supervisor of a pod did not stop it in time; killing everything that holds its lock",
        metadata: ["pod": "\(entry.identity.key)"])
      await blocking { Self.kill(PodLock.holders(of: folder.lock)) }
      return .seconds(1)
    }
    if isNews {
      // While there is no record, the supervisor is the one who holds the lock.
      let isSent = await blocking {
        guard let supervisor = folder.started().flatMap({ WatchedProcess($0.supervisor) }) ?? watched else {
          return false
        }
        supervisor.send(SIGTERM, value: Int(gracePeriod))
        return true
      }
      if isSent { entry.grace = gracePeriod }
    }
    entry.killAt = killAt
    let told = entry
    entries.withLock { entries in
      entries.byUID[uid]?.grace = told.grace
      entries.byUID[uid]?.killAt = told.killAt
    }
    return told.grace == nil ? .milliseconds(200) : killAt - now
  }

  // MARK: Afterwards

  /// Forgets the process of a pod that is over; its log stays.
  func retire(namespace: String, name: String, uid: String) async {
    let folder = PodFolder(root: root, namespace: namespace, name: name, uid: uid)
    entries.withLock { entries in
      guard entries.byUID[uid]?.isRunning != true else { return }
      entries.byUID[uid] = nil
    }
    await blocking { folder.tidy() }
  }

  /// Finds what an earlier operator has left: takes up what runs, and settles what does not.
  func adopt() async throws {
    let root = root
    try FileManager.default.createDirectory(
      atPath: "\(root)/pods", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    guard try await blocking({ try PodLock.works(in: "\(root)/pods") }) else { throw LocksDoNotWork(folder: root) }
    for folder in PodFolder.all(root: root) {
      let (identity, isOver) = await blocking { (folder.identity(), folder.ended() != nil) }
      if isOver { continue }
      guard let identity else {
        // The operator ended while it made the folder: nothing was started.
        await blocking { folder.remove() }
        continue
      }
      entries.withLock { $0.byUID[identity.uid] = Entry(identity: identity, folder: folder) }
      let state = try await state(namespace: identity.namespace, name: identity.name, uid: identity.uid)
      guard case .running = state else { continue }
      listen(identity.uid, folder)
      logger.info("took up a running pod", metadata: ["pod": "\(identity.key)"])
    }
  }

  // MARK: Details

  /// How long a supervisor may take beyond the grace period.
  private static let patience = Duration.seconds(10)

  private func changed(_ uid: String) {
    guard let identity = entries.withLock({ $0.byUID[uid]?.identity }) else { return }
    handler.withLock { $0 }(identity)
  }

  /// Notes that the pod's processes are over.
  private func settle(_ uid: String) {
    let entry = entries.withLock { entries in
      entries.byUID[uid]?.isRunning = false
      entries.byUID[uid]?.listening = nil
      return entries.byUID[uid]
    }
    entry?.watched?.forget(events)
  }

  /// Finds somebody to wait for: the supervisor if it lives. If it does not, those that it has left behind are killed.
  private func watch(_ uid: String, _ folder: PodFolder, _ started: StartedRecord?) async throws {
    let process = await blocking { () -> WatchedProcess? in
      if let supervisor = started.flatMap({ WatchedProcess($0.supervisor) }) { return supervisor }
      let holders = PodLock.holders(of: folder.lock)
      if started != nil { Self.kill(holders) }
      // No lazy sequence: it would open a process twice, which may have ended in between.
      for holder in holders { if let process = WatchedProcess(holder) { return process } }
      return nil
    }
    guard let process else {
      // Nobody to be seen holds the lock: a process that is about to start another one did, for a moment.
      let time = time
      Task { [weak self] in
        try? await time.sleep(for: .milliseconds(200))
        self?.changed(uid)
      }
      return
    }
    try process.onEnd(events) { [weak self] in self?.changed(uid) }
    entries.withLock { $0.byUID[uid]?.watched = process }
  }

  private static func kill(_ processes: [ProcessIdentity]) {
    for process in processes { WatchedProcess(process)?.send(SIGKILL) }
  }
}

/// The folder is on a file system whose locks do not do what they should.
package struct LocksDoNotWork: Error, Sendable, CustomStringConvertible {
  package let folder: String

  package var description: String {
    """
    file locks do not work in \(folder), as on some network file systems: without them nobody can tell whether rclone \
    still runs. Keep the state on a local disk
    """
  }
}

/// What the lock and the records of a pod say.
private enum Finding: Sendable {
  case held(StartedRecord?)
  case over(ProcessState)

  /// - Parameter watched: Somebody who held the lock when it was last looked at.
  init(_ folder: PodFolder, watched: ProcessIdentity?) throws {
    guard access(folder.path, F_OK) == 0 else {
      // Somebody has removed the folder: what is left to go by is the process itself.
      guard watched?.isAlive != true else {
        self = .held(nil)
        return
      }
      self = .over(
        .ended(
          EndedRecord(
            exitCode: 137, reason: "ContainerStatusUnknown",
            message: "\(folder.path) was removed while the container ran",
            finishedAt: Timestamp(Date()))))
      return
    }
    guard let lock = try PodLock(at: folder.lock) else {
      self = .held(folder.started())
      return
    }
    self = try withExtendedLifetime(lock) { .over(try Self.end(folder)) }
  }

  /// How a pod has ended whose lock is held by us.
  private static func end(_ folder: PodFolder) throws -> ProcessState {
    if let record = folder.ended() { return .ended(record) }
    guard let started = folder.started() else {
      let said = (try? AtomicFile.read(folder.supervisorLog)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
      return .neverRan(said?.split(separator: "\n").last.map(String.init) ?? "")
    }
    let isSameStart = started.supervisor.bootID == ProcessIdentity.currentBootID
    killSession(of: started.program)
    let record = EndedRecord(
      exitCode: 137, reason: "ContainerStatusUnknown",
      message: isSameStart
        ? "the process that looked after the container was killed, and the container with it"
        : "the machine was switched off or restarted while the container ran",
      startedAt: started.startedAt, finishedAt: Timestamp(Date()))
    try folder.write(record)
    return .ended(record)
  }

  /// Kills what a program has left behind in its session without holding the lock.
  ///
  /// The number of a session is not given to a new process while the session has members; so if there are any and no
  /// process has that number, or the program itself has it, they are the program's.
  private static func killSession(of program: ProcessIdentity) {
    guard program.bootID == ProcessIdentity.currentBootID else { return }
    let all = ProcessStat.all
    if let leader = all.first(where: { $0.pid == program.pid }), leader.startTicks != program.startTicks { return }
    for member in all where member.session == program.pid && !member.isOver {
      guard let identity = ProcessIdentity(pid: member.pid), identity.startTicks == member.startTicks else { continue }
      WatchedProcess(identity)?.send(SIGKILL)
    }
  }
}

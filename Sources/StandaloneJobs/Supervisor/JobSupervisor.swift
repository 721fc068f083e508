// JobSupervisor: the process between the operator and a program, as containerd's shim is between kubelet and container.
//
//     operator ──starts──▶ supervisor ──starts──▶ rclone ──▶ …
//                 order       │  lock ───────────────▶ lock ──▶ …
//                             ├─ started.json, ended.json
//                             └─ rclone.log
//
// Operators come and go; the supervisor stays with its program, keeps what that says, enforces its time limit, passes
// SIGTERM on, and writes down how it ended. It is the same executable, called with a hidden subcommand. Everything
// happens on one thread, since the program dies with the thread that forked it.
//
// - The program is the leader of a session of its own. When it ends, everything it has left behind is killed, as the
//   processes of a container are: orphans become children of the supervisor, so none is overlooked.
// - If the supervisor is killed, the kernel kills the program; what that has left behind still holds the lock, so the
//   operator finds it and kills it.

internal import CLocalProcess
internal import FoundationEssentials
internal import Glibc
internal import KubernetesModel

/// The entry of the hidden subcommand.
package enum JobSupervisor {
  /// Runs the program that the order in descriptor 4 names, holding the lock in descriptor 3, until it has ended.
  ///
  /// To be called before the process starts any thread that matters; blocks the calling thread.
  /// - Parameter arguments: The pod's namespace and name, which are there for those who look at `ps`.
  /// - Returns: The exit code of the supervisor: 0 once the end of the program is written down.
  package static func main(_ arguments: [String]) -> Int32 {
    guard fcntl(LOCAL_PROCESS_LOCK, F_SETFD, FD_CLOEXEC) == 0, fcntl(LOCAL_PROCESS_ORDER, F_SETFD, FD_CLOEXEC) == 0
    else {
      complain("this command is started by the standalone operator only")
      return 64
    }
    do {
      let order = try readOrder()
      return try Supervision(order).run()
    } catch {
      complain("\(error)")
      return 71
    }
  }

  /// The order; its file in memory is gone when this returns.
  private static func readOrder() throws -> LaunchOrder {
    try LaunchOrder.read(Descriptor(owning: LOCAL_PROCESS_ORDER))
  }

  static func complain(_ text: String) {
    let line = "job supervisor: \(text)\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
  }
}

/// One program from its start to its end.
private final class Supervision {
  private let order: LaunchOrder
  private let folder: PodFolder
  private let clock = LimitClock()
  private let signals: Int32
  private let oomKills = OOMKills()
  private var log: ContainerLog
  private var output: [LogStream: Int32] = [:]
  private var program: pid_t = -1
  private var exitStatus: Int32?
  private var stopping: Stop?
  private var limits: [(end: Duration, cause: EndedRecord.Cause)] = []

  /// A stop that is under way.
  private struct Stop {
    var cause: EndedRecord.Cause
    var killAt: Duration
    var wasKilled = false
  }

  init(_ order: LaunchOrder) throws {
    self.order = order
    folder = PodFolder(path: order.folder)
    log = try ContainerLog(path: folder.log(of: order.container), limits: order.log)
    signals = local_process_watch_signals()
    guard signals >= 0 else { throw SystemFailure("sigaction", code: -signals) }
    let status = local_process_become_subreaper()
    guard status == 0 else { throw SystemFailure("prctl(PR_SET_CHILD_SUBREAPER)", code: -status) }
    let start = clock.now
    if let limit = order.jobLimit { limits.append((start + .seconds(limit), .jobDeadline)) }
    if let limit = order.podLimit { limits.append((start + .seconds(limit), .podDeadline)) }
    limits.sort { $0.end < $1.end }
  }

  func run() throws -> Int32 {
    try folder.reserve()
    let path: String
    do throws(StartFailure) { path = try ProgramSearch.find(order) } catch {
      return finish(.notStarted(error.description))
    }
    let startedAt = Timestamp(Date())
    let report: Int32
    do { report = try start(path, at: startedAt) } catch let failure as StartFailure {
      return finish(.notStarted(failure.description))
    }
    if let code = startError(report) {
      killEverything()
      let program = order.arguments.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
      return finish(.notStarted("exec: \(program.debugDescription): \(SystemFailure.text(code))"))
    }
    try watch()
    killEverything()
    drain()
    return finish(ended(startedAt: startedAt))
  }

  // MARK: Starting

  /// Forks the program, writes down who it is, and lets it go.
  /// - Returns: Where the kernel's refusal to start it can be read.
  private func start(_ path: String, at time: Timestamp) throws -> Int32 {
    var ends = [LogStream.output: [Int32](repeating: -1, count: 2), .errors: [Int32](repeating: -1, count: 2)]
    var gate: [Int32] = [-1, -1]
    var report: [Int32] = [-1, -1]
    guard local_process_pipe(&gate) == 0, local_process_pipe(&report) == 0 else { throw SystemFailure("pipe") }
    for stream in LogStream.allCases {
      var pair: [Int32] = [-1, -1]
      guard local_process_pipe(&pair) == 0 else { throw SystemFailure("pipe") }
      _ = fcntl(pair[0], F_SETFL, O_NONBLOCK)
      ends[stream] = pair
      output[stream] = pair[0]
    }
    let writeEnds = LogStream.allCases.map { ends[$0]?[1] ?? -1 }
    program = try fork(path, output: writeEnds[0], errors: writeEnds[1], gate: gate[0], report: report[1])
    for end in writeEnds + [gate[0], report[1]] { close(end) }
    guard let supervisor = ProcessIdentity(pid: getpid()), let child = ProcessIdentity(pid: program) else {
      throw SystemFailure("/proc")
    }
    // Told to stop before there was anything to stop: then it never starts, and may be started anew.
    readSignals()
    guard stopping == nil else {
      killEverything()
      throw Stopped()
    }
    do {
      try folder.write(StartedRecord(supervisor: supervisor, program: child, startedAt: time))
    } catch {
      killEverything()
      throw error
    }
    guard write(gate[1], [1], 1) == 1 else { throw SystemFailure("pipe") }
    close(gate[1])
    return report[0]
  }

  /// The program never ran, on purpose.
  private struct Stopped: Error, CustomStringConvertible {
    var description: String { "told to stop before the program was started" }
  }

  private func fork(_ path: String, output: Int32, errors: Int32, gate: Int32, report: Int32) throws -> pid_t {
    let arguments = CStrings(order.arguments)
    let environment = CStrings(order.environment)
    let pid = path.withCString { path in
      order.workingFolder.withCString { folder in
        arguments.withPointers { arguments in
          environment.withPointers { environment in
            var program = local_process_program(
              path: path, argv: arguments, envp: environment, folder: folder, lock: LOCAL_PROCESS_LOCK, output: output,
              errors: errors, gate: gate, report: report, no_new_privileges: order.noNewPrivileges ? 1 : 0)
            return local_process_fork(&program)
          }
        }
      }
    }
    guard pid > 0 else { throw SystemFailure("fork", code: -pid) }
    return pid
  }

  /// The error number with which the kernel refused to start the program.
  private func startError(_ report: Int32) -> Int32? {
    defer { close(report) }
    var code: Int32 = 0
    while true {
      let count = read(report, &code, MemoryLayout<Int32>.size)
      if count < 0, errno == EINTR { continue }
      return count == MemoryLayout<Int32>.size ? code : nil
    }
  }

  // MARK: Watching

  /// Returns when the program has ended.
  private func watch() throws {
    let timer = try clock.timer()
    defer { close(timer) }
    while exitStatus == nil {
      try clock.set(timer, to: nextDeadline)
      let streams = output.sorted { $0.key < $1.key }
      var waits = [signals, timer].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      waits += streams.map { pollfd(fd: $0.value, events: Int16(POLLIN), revents: 0) }
      guard poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else { throw SystemFailure("poll") }
      for (wait, stream) in zip(waits.dropFirst(2), streams) where wait.revents != 0 { copy(stream.key, stream.value) }
      if waits[0].revents != 0 { readSignals() }
      collect()
      enforce()
    }
  }

  private var nextDeadline: Duration? {
    if let stopping { return stopping.wasKilled ? nil : stopping.killAt }
    return limits.first?.end
  }

  /// Does what is due.
  private func enforce() {
    let now = clock.now
    if stopping == nil, let limit = limits.first, now >= limit.end {
      stop(limit.cause, gracePeriod: .seconds(order.gracePeriod))
    }
    guard let stop = stopping, !stop.wasKilled, now >= stop.killAt else { return }
    stopping?.wasKilled = true
    for process in ProcessStat.descendants(of: getpid()) { kill(process.pid, SIGKILL) }
  }

  private func stop(_ cause: EndedRecord.Cause, gracePeriod: Duration) {
    let killAt = clock.now + gracePeriod
    guard let earlier = stopping else {
      stopping = Stop(cause: cause, killAt: killAt)
      if program > 0 { kill(-program, SIGTERM) }
      return
    }
    // Somebody who is less patient may shorten the wait, never lengthen it.
    stopping?.killAt = min(earlier.killAt, killAt)
  }

  private func readSignals() {
    var note = [UInt8](repeating: 0, count: 1)
    while read(signals, &note, 1) == 1 {
      guard note[0] == UInt8(ascii: "T") else { continue }
      var value: Int32 = -1
      guard read(signals, &value, 4) == 4 else { return }
      stop(.stopped, gracePeriod: value < 0 ? .seconds(order.gracePeriod) : .seconds(Int(value)))
    }
  }

  /// Collects children that have ended: the program, and orphans of it.
  private func collect() {
    var status: Int32 = 0
    while true {
      let pid = waitpid(-1, &status, WNOHANG)
      guard pid > 0 else { return }
      if pid == program { exitStatus = status }
    }
  }

  /// Copies what the program has written; `false` once there is nothing more at present.
  @discardableResult
  private func copy(_ stream: LogStream, _ end: Int32) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = read(end, &buffer, buffer.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return errno == EINTR }
    guard count > 0 else {
      output[stream] = nil
      close(end)
      return false
    }
    log.take(buffer[..<count], from: stream, at: Date())
    return true
  }

  // MARK: Ending

  /// Kills what is left and waits for it; orphans become our children as their parents end.
  private func killEverything() {
    while true {
      if program > 0 { kill(-program, SIGKILL) }
      for process in ProcessStat.descendants(of: getpid()) { kill(process.pid, SIGKILL) }
      var status: Int32 = 0
      let pid = waitpid(-1, &status, 0)
      if pid < 0, errno == ECHILD { return }
      if pid == program, exitStatus == nil { exitStatus = status }
    }
  }

  /// Takes what is left in the pipes, whose writers have all ended.
  private func drain() {
    for (stream, end) in output.sorted(by: { $0.key < $1.key }) {
      while copy(stream, end) {}
    }
    log.finish(at: Date())
  }

  private func ended(startedAt: Timestamp) -> EndedRecord {
    let status = exitStatus ?? 0
    let signal = status & 0x7f
    let exitCode = signal == 0 ? Int(status >> 8 & 0xff) : 128 + Int(signal)
    let isOurs = stopping?.wasKilled == true
    let isOutOfMemory = signal == SIGKILL && !isOurs && oomKills.haveGrown
    let reason = exitCode == 0 ? "Completed" : isOutOfMemory ? "OOMKilled" : "Error"
    return EndedRecord(
      exitCode: exitCode, reason: reason, message: exitCode != 0 && order.logIsMessage ? log.tail : nil,
      startedAt: startedAt, finishedAt: Timestamp(Date()), cause: stopping?.cause)
  }

  /// Writes down the end. Should the disk be full or the like, the lock is kept, and with it the result, until it works.
  private func finish(_ record: EndedRecord) -> Int32 {
    var pause: UInt32 = 1
    while true {
      do {
        try folder.writeReserved(record)
        return 0
      } catch {
        // A folder that somebody has removed will not come back.
        guard access(folder.path, F_OK) == 0 else { return 73 }
        JobSupervisor.complain("the end of the program cannot be written down, trying again: \(error)")
        sleep(pause)
        pause = min(pause * 2, 30)
      }
    }
  }
}

extension EndedRecord {
  /// What containerd and the kubelet make of a program that cannot be started.
  fileprivate static func notStarted(_ why: String) -> EndedRecord {
    EndedRecord(exitCode: 128, reason: "StartError", message: why, finishedAt: Timestamp(Date()))
  }
}

// Programs that run beside a test: controllers and endpoints.
//
// They are in one process group with a watchdog, a shell that reads from a pipe which nobody writes to. When this test
// process ends, in whatever way, the pipe breaks and the watchdog kills the group. So nothing outlives a test run.

import FoundationEssentials
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program that has been started.
final class BackgroundProcess: Sendable {
  let pid: pid_t
  private let ending: Task<TerminationStatus, any Error>
  private let state: State

  private final class State: Sendable {
    let hasEnded = Mutex(false)
    let wasToldToEnd = Mutex(false)
  }

  /// Whether the program is gone though nobody told it to go.
  var hasEndedByItself: Bool { state.hasEnded.withLock(\.self) && !state.wasToldToEnd.withLock(\.self) }

  private init(pid: pid_t, ending: Task<TerminationStatus, any Error>, state: State) {
    self.pid = pid
    self.ending = ending
    self.state = state
  }

  /// Starts a program.
  /// - Parameter log: The file that gets everything it prints.
  static func start(
    _ program: String,
    _ arguments: [String],
    environment: [String: String],
    log: FilePath
  ) async throws -> BackgroundProcess {
    var options = PlatformOptions()
    options.processGroupID = try await watchdog.value
    let output = try FileDescriptor.open(
      log,
      .writeOnly,
      options: [.create, .append, .closeOnExec],
      permissions: [.ownerReadWrite]
    )
    return try await launch(
      Configuration(
        executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
        arguments: Arguments(arguments),
        environment: .custom(
          Dictionary(
            environment.compactMap { name, value in Environment.Key(rawValue: name).map { ($0, value) } },
            uniquingKeysWith: { $1 }
          )
        ),
        platformOptions: options
      ),
      input: .none,
      output: output
    )
  }

  /// Asks the program to end.
  func terminate() { send(SIGTERM) }

  /// Lets the program do nothing until ``thaw()``.
  func freeze() { send(SIGSTOP) }

  /// Lets the program go on.
  func thaw() { send(SIGCONT) }

  /// Ends the program with SIGKILL, and returns when it is gone.
  func kill() async {
    send(SIGKILL)
    _ = try? await ending.value
  }

  /// The program's exit code, once it has ended.
  func exitCode() async throws -> Int { try await ending.value.code }

  private func send(_ signal: CInt) {
    if signal == SIGKILL || signal == SIGTERM { state.wasToldToEnd.withLock { $0 = true } }
    // The number of a program that has ended may be another one's by now.
    state.hasEnded.withLock { if !$0 { _ = Glibc.kill(pid, signal) } }
  }

  private static func launch(
    _ configuration: Configuration,
    input: some InputProtocol,
    output: FileDescriptor
  ) async throws -> BackgroundProcess {
    let (started, start) = AsyncThrowingStream.makeStream(of: pid_t.self)
    let state = State()
    let ending = Task {
      defer { state.hasEnded.withLock { $0 = true } }
      do {
        let result = try await run(
          configuration,
          input: input,
          output: .fileDescriptor(output, closeAfterSpawningProcess: true),
          error: .combinedWithOutput
        ) { start.yield($0.processIdentifier.value) }
        start.finish()
        return result.terminationStatus
      } catch {
        start.finish(throwing: error)
        throw error
      }
    }
    for try await pid in started { return BackgroundProcess(pid: pid, ending: ending, state: state) }
    throw Missing(description: "\(configuration.executable) did not start")
  }

  /// The process group of everything that is started.
  private static let watchdog = Task {
    let pipe = try FileDescriptor.pipe()
    // Only this process may keep the pipe open.
    _ = fcntl(pipe.writeEnd.rawValue, F_SETFD, FD_CLOEXEC)
    _ = fcntl(pipe.readEnd.rawValue, F_SETFD, FD_CLOEXEC)
    var options = PlatformOptions()
    options.processGroupID = 0
    let process = try await launch(
      Configuration(
        executable: .path("/bin/sh"),
        arguments: ["-c", "cat >/dev/null; kill -9 0"],
        platformOptions: options
      ),
      input: .fileDescriptor(pipe.readEnd, closeAfterSpawningProcess: true),
      output: try FileDescriptor.open("/dev/null", .writeOnly, options: .closeOnExec)
    )
    return process.pid
  }
}

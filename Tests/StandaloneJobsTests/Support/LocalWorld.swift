// A machine with an API and nothing in it: what the tests of the runner start from.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import StandaloneJobs
import Synchronization
import TestSupport
import Testing

/// An API server with its garbage collector, a state folder, and operators in this process.
final class LocalWorld: Sendable {
  let server: InMemoryAPIServer
  let folder: TemporaryFolder
  let time: any TimeSource
  private let collector: Task<Void, Never>

  init(time: any TimeSource = SystemTime()) throws {
    // Writing to an operator that was killed is an error like any other.
    signal(SIGPIPE, SIG_IGN)
    let server = InMemoryAPIServer(time: time)
    self.server = server
    self.time = time
    folder = try TemporaryFolder()
    let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    server.observe { _, _ in continuation.yield() }
    collector = Task {
      for await _ in changes { while server.collectGarbage() {} }
    }
  }

  deinit {
    collector.cancel()
    // Whatever a failed test has left behind.
    for process in processes { kill(process, SIGKILL) }
  }

  var state: String { "\(folder.path)/state" }

  /// An operator in this process.
  func start(
    places: Int = 4, connection: (any APITransport)? = nil, log: LogLimits = LogLimits(), kept: KeptLogs = KeptLogs(),
    supervisor: [String] = [labPath, "supervisor"], environment: [String: String] = ["PATH": "/usr/bin:/bin"]
  ) throws -> TestOperator {
    let client = KubernetesClient(transport: connection ?? server, time: time)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let metrics = MetricsRegistry()
    let events = EventDelivery(
      client: client, controller: "test", instance: "test", time: time, random: .system, logger: logger,
      metrics: metrics)
    let jobs = try LocalJobs(
      client: client,
      settings: LocalJobsSettings(
        folder: state, nodeName: "machine", supervisor: SupervisorProgram(path: supervisor[0], arguments: supervisor),
        maximumRunning: places, environment: environment, log: log, keptLogs: kept),
      events: events.recorder, time: time, random: .system, logger: logger, metrics: metrics)
    return TestOperator(jobs: jobs, events: events)
  }

  // MARK: Objects

  /// Creates a Job whose container runs a shell script.
  @discardableResult
  func run(
    _ script: String, name: String = "job", spec: JSONValue = [:], pod: JSONValue = [:], container: JSONValue = [:]
  ) throws -> Job {
    // $$ is a single $ to Kubernetes.
    let escaped = script.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
    return try create(name, command: ["/bin/sh", "-c", escaped], spec: spec, pod: pod, container: container)
  }

  @discardableResult
  func create(
    _ name: String, command: [String], spec: JSONValue = [:], pod: JSONValue = [:], container: JSONValue = [:]
  ) throws -> Job {
    var main: JSONValue = [
      "name": "main", "image": "none", "command": .array(command.map { .string($0) }),
      "terminationMessagePolicy": "FallbackToLogsOnError",
    ]
    for (field, value) in container.object ?? [:] { main[field] = value }
    var podSpec: JSONValue = ["restartPolicy": "Never", "containers": [main], "terminationGracePeriodSeconds": 30]
    for (field, value) in pod.object ?? [:] { podSpec[field] = value }
    var job: JSONValue = ["metadata": ["name": .string(name)], "spec": ["backoffLimit": 0]]
    for (field, value) in spec.object ?? [:] { job["spec"][field] = value }
    job["spec"]["template"] = ["metadata": ["labels": ["app": "test"]], "spec": podSpec]
    return try server.create(Job.self, job, namespace: "default")
  }

  func job(_ name: String = "job") -> Job? { server.find(Job.self, key(name)) }

  /// The only pod of a Job, or the latest.
  func pod(of name: String = "job") -> Pod? { pods(of: name).last }

  func pods(of name: String = "job") -> [Pod] {
    server.all(Pod.self).filter { $0.metadata.labels?["job-name"] == name }.sorted {
      ($0.metadata.creationTimestamp ?? Timestamp(unixSeconds: 0), attempt($0))
        < ($1.metadata.creationTimestamp ?? Timestamp(unixSeconds: 0), attempt($1))
    }
  }

  func terminated(_ name: String = "job") -> Pod.Terminated? {
    pod(of: name)?.status?.containerStatuses?.first?.state?.terminated
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "default", name: name) }

  func untilEnded(_ name: String = "job") async throws {
    try await eventually("end of \(name)", within: 60) { self.job(name)?.hasEnded == true }
  }

  func untilRunning(_ name: String = "job") async throws {
    try await eventually("start of \(name)", within: 60) { self.pod(of: name)?.status?.phase == "Running" }
  }

  private func attempt(_ pod: Pod) -> Int {
    Int(pod.metadata.annotations?.first { $0.key.hasSuffix("/attempt") }?.value ?? "") ?? 0
  }

  // MARK: The machine

  /// A file that scripts write to: in it are the lines that they have written.
  func file(_ name: String) -> String { "\(folder.path)/\(name)" }

  func text(_ name: String) -> String? { try? String(contentsOfFile: file(name), encoding: .utf8) }

  /// All processes that have a file of the state open, or its name in their command line: supervisors and programs.
  var processes: [pid_t] {
    Self.all.filter { pid in
      guard pid != getpid() else { return false }
      let folder = "/proc/\(pid)/fd"
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return files.contains { name in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)"))?.hasPrefix(state) == true
      }
    }
  }

  static var all: [pid_t] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
  }

  static func runs(_ pid: pid_t) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return !stat.contains(") Z ") && !stat.contains(") X ")
  }

  /// To signal by a number that is none would be to signal everybody.
  struct NoNumber: Error {}

  /// The number that a script has written to a file.
  func pid(_ name: String) async throws -> pid_t {
    try await eventually("pid in \(name)", within: 60) {
      self.text(name).flatMap { pid_t($0.split(separator: "\n").first ?? "") } != nil
    }
    guard let pid = text(name).flatMap({ pid_t($0.split(separator: "\n").first ?? "") }), pid > 1 else {
      throw NoNumber()
    }
    return pid
  }

  /// The folder of the pod.
  func podFolder(_ name: String = "job") -> String {
    let pods = (try? FileManager.default.contentsOfDirectory(atPath: "\(state)/pods")) ?? []
    let prefix = "default_\(pod(of: name)?.metadata.name ?? name)"
    return "\(state)/pods/\(pods.first { $0.hasPrefix(prefix) } ?? "?")"
  }

  func record(_ file: String, _ name: String = "job") -> JSONValue? {
    guard let data = try? Data(contentsOf: URL(filePath: "\(podFolder(name))/\(file)")) else { return nil }
    return try? JSON.decode(JSONValue.self, from: data)
  }
}

/// An operator in this process.
struct TestOperator: Sendable {
  struct EndedEarly: Error {}

  let jobs: LocalJobs
  let events: EventDelivery

  /// Runs beside `body`, then ends: in good order, or as if it had been killed.
  func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let shutdown = Signal()
    let ended = Signal()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await jobs.run(until: shutdown) } catch {
          if !(error is CancellationError) { Issue.record("the operator failed: \(error)") }
          ended.raise()
          throw error
        }
      }
      group.addTask { await events.run() }
      do {
        // An operator that fails is what a test should tell of, not what it then waits for.
        let value = try await withThrowingTaskGroup(of: Value?.self) { race in
          race.addTask { try await body() }
          race.addTask {
            try await ended.wait()
            return nil
          }
          defer { race.cancelAll() }
          guard let value = try await race.next().flatMap(\.self) else { throw EndedEarly() }
          return value
        }
        shutdown.raise()
        try await group.next()
        await events.flush(within: .seconds(10))
        group.cancelAll()
        return value
      } catch {
        group.cancelAll()
        throw error
      }
    }
  }
}

extension Job {
  var hasEnded: Bool { trueCondition("Complete") != nil || trueCondition("Failed") != nil }
}

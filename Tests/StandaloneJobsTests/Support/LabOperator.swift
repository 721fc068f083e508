// An operator in a process of its own, whose API is in this one: it can be killed with SIGKILL, and nothing that the API
// holds is lost.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport

/// The executable jobs-lab, which SwiftPM puts beside the tests.
let labPath: String = {
  let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/jobs-lab"
}()

final class LabOperator: Sendable {
  private struct Request: Decodable {
    var id: Int
    var method: String
    var path: String
    var query: [[String]]
    var body: Data?
    var contentType: String?
    var isStream: Bool
  }

  private struct Answer: Encodable {
    var id: Int
    var status: Int?
    var body: Data?
    var piece: Data?
    var isOver: Bool?
  }

  /// Asked about each request before it is served, and after; `true` kills the process at that moment.
  typealias Executioner = @Sendable (_ request: APIRequest, _ isServed: Bool) -> Bool

  struct NotStarted: Error {
    let why: String
  }

  let pid: pid_t
  private let server: InMemoryAPIServer
  private let input: Int32
  private let output: Int32
  private let isAlive = Mutex(true)
  private let executioner: Executioner

  /// Starts an operator over `folder`.
  /// - Parameter descriptors: Further descriptors that it has open, as a real one has its database.
  init(
    _ server: InMemoryAPIServer, folder: String, places: Int = 4, supervisor: [String] = [labPath, "supervisor"],
    executioner: @escaping Executioner = { _, _ in false }
  ) throws {
    var toChild: [Int32] = [-1, -1]
    var fromChild: [Int32] = [-1, -1]
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { throw NotStarted(why: "pipe") }
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
    // Something that no program may inherit.
    posix_spawn_file_actions_addopen(&actions, 57, "/etc/hostname", O_RDONLY, 0)
    let arguments = [labPath, "operator", folder, "\(places)"] + supervisor
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, labPath, &actions, nil, &pointers, environ)
    close(toChild[0])
    close(fromChild[1])
    guard status == 0 else { throw NotStarted(why: "\(labPath): \(String(cString: strerror(status)))") }
    self.pid = pid
    self.server = server
    input = toChild[1]
    output = fromChild[0]
    self.executioner = executioner
    let raw = Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { raw in
        if let raw { Unmanaged<LabOperator>.fromOpaque(raw).takeRetainedValue().serve() }
        return nil
      }, raw)
    pthread_detach(thread)
  }

  /// Whether it still runs.
  var runs: Bool { isAlive.withLock(\.self) }

  /// Ends it with SIGKILL.
  func kill() {
    isAlive.withLock { isAlive in
      guard isAlive else { return }
      isAlive = false
      Glibc.kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
    }
  }

  private func serve() {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    var rest: [UInt8] = []
    while true {
      let count = read(output, &buffer, buffer.count)
      guard count > 0 else { break }
      rest += buffer[..<count]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Data(rest[..<end])
        rest.removeFirst(end + 1)
        if let request = try? JSON.decode(Request.self, from: line) { Task { await answer(request) } }
      }
    }
    close(output)
  }

  private func answer(_ line: Request) async {
    let request = APIRequest(
      APIRequest.Method(rawValue: line.method) ?? .get, line.path, query: line.query.map { .init($0[0], $0[1]) },
      body: line.body, contentType: line.contentType, label: .init(verb: "", resource: ""))
    if executioner(request, false) { kill() }
    guard runs else { return }
    do {
      if line.isStream {
        let stream = try await server.stream(request)
        write(Answer(id: line.id, status: stream.statusCode))
        for try await piece in stream.body { write(Answer(id: line.id, piece: piece)) }
        write(Answer(id: line.id, isOver: true))
      } else {
        let response = try await server.send(request)
        if executioner(request, true) { kill() }
        write(Answer(id: line.id, status: response.statusCode, body: response.body))
      }
    } catch {
      write(Answer(id: line.id, status: 500, body: Data()))
    }
  }

  private func write(_ answer: Answer) {
    guard let json = try? JSON.encode(answer) else { return }
    let bytes = Array(json) + [UInt8(ascii: "\n")]
    isAlive.withLock { isAlive in
      var rest = bytes[...]
      while isAlive, !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}

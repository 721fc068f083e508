// Which rclone ran when, by containerd: it sees every container start and end, whatever becomes of the API server.

import FoundationEssentials
import KubernetesModel
import Synchronization
import SystemPackage

/// One rclone, from the start of its container to the end.
struct RcloneLife: Sendable {
  let pod: String
  let buckets: Set<String>
  let started: Date
  var ended: Date?

  /// The run it works for: Jobs are named after runs, and pods after Jobs.
  var run: String { pod.lastIndex(of: "-").map { String(pod[..<$0]) } ?? pod }

  func overlaps(_ other: RcloneLife) -> Bool {
    started < (other.ended ?? .distantFuture) && other.started < (ended ?? .distantFuture)
  }
}

/// Follows the containers of one namespace.
final class RcloneWitness: Sendable {
  private struct State {
    /// By container.
    var lives: [String: RcloneLife] = [:]
    var started: [String: Date] = [:]
    var ended: [String: Date] = [:]
    var unknown: [String] = []
  }

  private let state = Mutex(State())
  private let namespace: String
  private let socket: String
  private let process: BackgroundProcess
  private let log: FilePath

  /// Every rclone there was, in order.
  var lives: [RcloneLife] {
    state.withLock { state in
      state.lives.compactMap { container, life in
        guard let started = state.started[container] else { return nil }
        return RcloneLife(pod: life.pod, buckets: life.buckets, started: started, ended: state.ended[container])
      }
    }.sorted { $0.started < $1.started }
  }

  /// What is not as it has to be: two at one bucket, several of one run.
  var violations: [String] {
    let lives = lives
    var violations = state.withLock(\.unknown).map { "nobody knows what container \($0) was" }
    for (index, one) in lives.enumerated() {
      for other in lives[(index + 1)...] where one.overlaps(other) {
        let shared = one.buckets.intersection(other.buckets)
        if !shared.isEmpty { violations.append("rclones of \(one.pod) and \(other.pod) were at \(shared) together") }
      }
    }
    for (run, starts) in Dictionary(grouping: lives, by: \.run) where starts.count > 1 {
      violations.append("run \(run) had \(starts.count) rclones: \(starts.map(\.pod))")
    }
    return violations
  }

  private init(_ namespace: String, _ socket: String, _ process: BackgroundProcess, _ log: FilePath) {
    self.namespace = namespace
    self.socket = socket
    self.process = process
    self.log = log
  }

  /// Follows while `body` runs.
  static func with(_ world: World, _ body: (RcloneWitness) async throws -> Void) async throws {
    let socket = "\(try Testbed.required("TESTBED_DIR"))/containerd.sock"
    let log = world.directory.appending("containers.log")
    let process = try await BackgroundProcess.start(
      "ctr", ["--address", socket, "--namespace", "k8s.io", "events"], environment: Testbed.environment, log: log)
    let witness = RcloneWitness(world.namespace, socket, process, log)
    let following = Task { await witness.follow() }
    do {
      try await body(witness)
    } catch {
      following.cancel()
      await process.kill()
      throw error
    }
    following.cancel()
    await process.kill()
    _ = await following.value
  }

  private func follow() async {
    var read = 0
    while true {
      let isLast = Task.isCancelled
      let content = (try? Data(contentsOf: URL(filePath: log.string))) ?? Data()
      let end = content.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      for line in content[read..<max(read, end)].split(separator: UInt8(ascii: "\n")) {
        await take(String(decoding: line, as: UTF8.self))
      }
      read = max(read, end)
      if isLast { return }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// `2026-01-02 03:04:05.678 +0000 UTC k8s.io /tasks/start {"container_id":"…","pid":1}`
  private func take(_ line: String) async {
    let words = line.split(separator: " ", maxSplits: 6).map(String.init)
    guard words.count == 7, let time = Self.time(words[0], words[1]),
      let details = try? JSON.decode(JSONValue.self, from: Data(words[6].utf8))
    else { return }
    switch words[5] {
    case "/containers/create":
      let isRclone = details["image"].string == Testbed.environment["RCLONE_IMAGE"]
      if isRclone, let id = details["id"].string { await identify(id) }
    case "/tasks/start":
      if let id = details["container_id"].string { state.withLock { $0.started[id] = time } }
    case "/tasks/exit":
      guard let id = details["container_id"].string, details["id"].string == id else { return }
      state.withLock { $0.ended[id] = time }
    default: break
    }
  }

  /// `2026-01-02`, `03:04:05.678901234`.
  private static func time(_ day: String, _ time: String) -> Date? {
    let seconds = time.prefix(8)
    let fraction = Double("0" + time.dropFirst(8)) ?? 0
    return Timestamp("\(day)T\(seconds)Z")?.date.addingTimeInterval(fraction)
  }

  private func identify(_ container: String) async {
    let answer = try? await Program.run(
      "ctr", ["--address", socket, "--namespace", "k8s.io", "containers", "info", container])
    guard let answer, let info = try? JSON.decode(JSONValue.self, from: Data(answer.output.utf8)) else {
      return state.withLock { $0.unknown.append(container) }
    }
    let labels = info["Labels"]
    guard labels["io.kubernetes.pod.namespace"].string == namespace, let pod = labels["io.kubernetes.pod.name"].string
    else { return }
    let words = (info["Spec"]["process"]["args"].array ?? []).compactMap(\.string)
    let places = words.filter { $0.hasPrefix("source:") || $0.hasPrefix("destination:") }
    let buckets = places.compactMap { $0.split(separator: ":").last?.split(separator: "/").first.map(String.init) }
    state.withLock {
      $0.lives[container] = RcloneLife(pod: pod, buckets: Set(buckets), started: .distantPast, ended: nil)
    }
  }
}

// The testbed's servers: killed, started again, and made to forget.

import FaultProxy
import FoundationEssentials
import Glibc
import KubernetesModel
import SystemPackage
import Testing

/// The testbed that belongs to these tests alone.
struct Servers: Sendable {
  let timeline: Timeline

  private static var directory: String { Testbed.environment["TESTBED_DIR"] ?? "" }

  /// Ends a part as a crash does.
  func kill(_ part: String) throws {
    // Known by pid and start, see Tests/Testbed/lib/process.sh; a test that restarts parts knows that nobody else does.
    let file = try String(contentsOfFile: "\(Self.directory)/processes/\(part)", encoding: .utf8)
    guard let pid = file.split(separator: " ").first.flatMap({ pid_t($0) }) else {
      throw Missing(description: "no process of \(part): \(file)")
    }
    let command = (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"))) ?? Data()
    guard String(decoding: command, as: UTF8.self).contains(Self.directory) else {
      throw Missing(description: "process \(pid) is not the testbed's \(part)")
    }
    timeline.note("SIGKILL \(part)", "pid \(pid)")
    Glibc.kill(pid, SIGKILL)
  }

  /// Starts a part again, and returns when it is ready.
  func restart(_ part: String, apiserverFlags: String = "") async throws {
    let script = Testbed.package.appending("Tests/Testbed/restart").string
    let environment = Testbed.environment.merging([
      "BUCKET_SYNC_TESTBED_DIR": Self.directory, "BUCKET_SYNC_APISERVER_FLAGS": apiserverFlags,
    ]) { $1 }
    let result = try await Program.run(script, [part], environment: environment)
    try #require(result.code == 0, "restart \(part): \(result.output)\(result.errors)")
    timeline.note("started \(part)", apiserverFlags)
  }

  /// Makes etcd forget everything but what is there now.
  /// - Returns: The revision before which it remembers nothing.
  @discardableResult
  func compact() async throws -> Int64 {
    let now = try await etcd("kv/range", ["key": "AA==", "count_only": true])
    guard let revision = now["header"]["revision"].string.flatMap({ Int64($0) }) else {
      throw Missing(description: "etcd says no revision: \(now)")
    }
    _ = try await etcd("kv/compaction", ["revision": .string("\(revision)"), "physical": true])
    timeline.note("etcd has forgotten", "all before revision \(revision)")
    return revision
  }

  /// A request to the JSON gateway of etcd.
  private func etcd(_ path: String, _ body: JSONValue) async throws -> JSONValue {
    let ports = try String(contentsOfFile: "\(Self.directory)/ports", encoding: .utf8)
    guard let port = ports.split(separator: "\n").first(where: { $0.hasPrefix("PORT_ETCD=") })?.dropFirst(10) else {
      throw Missing(description: "no port of etcd")
    }
    let result = try await Program.run(
      "curl",
      ["--silent", "--show-error", "--fail", "--data", "@-", "http://127.0.0.1:\(port)/v3/\(path)"],
      input: String(decoding: try JSON.encode(body), as: UTF8.self)
    )
    try #require(result.code == 0, "etcd: \(result.output)\(result.errors)")
    return try JSON.decode(JSONValue.self, from: Data(result.output.utf8))
  }
}

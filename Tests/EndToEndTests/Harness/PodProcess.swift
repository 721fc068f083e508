// The rclone inside of a pod, as a process of this machine: the testbed's kubelet runs its containers here.

import FoundationEssentials
import Glibc
import Testing

/// A process in a container.
struct PodProcess: Sendable {
  let pid: pid_t

  /// The rclone that syncs from `source`, once it is there.
  static func rclone(syncing source: Bucket) async throws -> PodProcess {
    var found: PodProcess?
    try await until("rclone syncs \(source.name)") {
      found = all(syncing: source).first
      return found != nil
    }
    guard let found else { throw Missing(description: "no rclone") }
    return found
  }

  /// Every rclone that syncs from `source` now.
  static func all(syncing source: Bucket) -> [PodProcess] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { pid_t($0) }.filter { pid in
      let command = (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"))) ?? Data()
      let words = command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      return words.starts(with: ["rclone", "sync", "source:\(source.name)"])
    }.map(PodProcess.init)
  }

  /// Lets it do nothing, not even end when it is asked to.
  func freeze() { kill(pid, SIGSTOP) }

  /// Lets it go on.
  func thaw() { kill(pid, SIGCONT) }
}

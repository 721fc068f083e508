// LogArchive: the folders of pods whose objects are gone. `logs` still works for those that are kept.
//
// Kept are the youngest pods of each group (a policy, or a Job), within a limit for all together. Everything older goes.

internal import FoundationEssentials
internal import Glibc
internal import Logging

/// Removes logs that are not kept any more.
struct LogArchive: Sendable {
  let root: String
  let limits: KeptLogs
  let logger: Logger

  private struct Kept {
    var folder: PodFolder
    var identity: PodIdentity
    var size: Int64
  }

  /// Removes what is too much, but nothing of the pods `uids`, which still exist.
  func prune(keeping uids: Set<String>) async {
    let removed = await blocking { remove(except: uids) }
    if removed > 0 { logger.debug("removed old logs", metadata: ["pods": "\(removed)"]) }
  }

  private func remove(except uids: Set<String>) -> Int {
    let over = PodFolder.all(root: root).compactMap { folder -> Kept? in
      guard let identity = folder.identity(), !uids.contains(identity.uid), folder.ended() != nil else { return nil }
      return Kept(folder: folder, identity: identity, size: folder.size)
    }.sorted { ($0.identity.acceptedAt, $0.identity.uid) > ($1.identity.acceptedAt, $1.identity.uid) }
    var counts: [String: Int] = [:]
    var bytes: Int64 = 0
    var removed = 0
    for pod in over {
      counts[pod.identity.group, default: 0] += 1
      bytes += pod.size
      guard counts[pod.identity.group, default: 0] > limits.perGroup || bytes > limits.bytes else { continue }
      bytes -= pod.size
      pod.folder.remove()
      removed += 1
    }
    return removed
  }
}

extension PodFolder {
  /// Bytes of its files.
  fileprivate var size: Int64 {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.reduce(0) { sum, name in
      var status = stat()
      return stat("\(path)/\(name)", &status) == 0 ? sum + Int64(status.st_size) : sum
    }
  }
}

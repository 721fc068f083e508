// The lock of a pod: held for as long as any process of it lives, and so the proof that none does.
//
// It is a flock on a file of the pod's folder. The operator takes it before it starts the supervisor, which inherits it
// and hands it on to the program and thereby to everything that the program starts. Linux gives a flock back when the last
// of all these processes has ended, in whatever way, and not a moment earlier. So there is no time between "about to be
// started" and "runs" in which the lock is free, wherever the operator is killed; and whoever gets the lock knows.

internal import FoundationEssentials
internal import Glibc

/// A lock that is held.
struct PodLock: Sendable {
  let descriptor: Descriptor

  /// Takes the lock at `path`; `nil` while anybody holds it.
  init?(at path: String) throws(SystemFailure) {
    let file = try Descriptor(path, O_RDWR | O_CREAT)
    guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
      guard errno == EWOULDBLOCK else { throw SystemFailure(path) }
      return nil
    }
    descriptor = file
  }

  /// The processes that have the lock's file open, as far as this one may look.
  static func holders(of path: String) -> [ProcessIdentity] {
    guard let file = try? Descriptor(path, O_RDONLY), let wanted = file.status else { return [] }
    return ProcessStat.all.filter { process in
      guard process.pid != getpid(), !process.isOver else { return false }
      let folder = "/proc/\(process.pid)/fd"
      let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return descriptors.contains { name in
        var status = stat()
        guard stat("\(folder)/\(name)", &status) == 0 else { return false }
        return UInt64(status.st_dev) == wanted.device && UInt64(status.st_ino) == wanted.inode
      }
    }.compactMap { ProcessIdentity(pid: $0.pid) }
  }

  /// Whether locks of files in `folder` do what they should: those of network file systems may not.
  static func works(in folder: String) throws(SystemFailure) -> Bool {
    let path = "\(folder)/.lock-test"
    defer { unlink(path) }
    guard let first = try PodLock(at: path) else { return true }
    return try withExtendedLifetime(first) { () throws(SystemFailure) in try PodLock(at: path) == nil }
  }
}

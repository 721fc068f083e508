// The unix socket as a file: only its owner may connect, and one that a dead process left behind is replaced.

import FoundationEssentials
import Glibc

/// Where a unix socket is to be.
package struct SocketFile: Sendable, Hashable {
  /// A socket cannot be there.
  package struct Unusable: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
  }

  /// `sun_path` with its NUL, and the mark of ``draft``.
  private static let longestPath = 106

  package let path: String
  /// It is made under this name, and gets its own once nobody else may connect.
  private var draft: String { path + "~" }

  package init(path: String) { self.path = path }

  /// Makes sure that a socket can be made; to be followed by binding to the path that is returned, and ``publish()``.
  func prepare() throws(Unusable) -> String {
    guard path.utf8.count <= Self.longestPath else {
      throw Unusable(
        description: "\(path): is \(path.utf8.count) bytes long, and the path of a socket can have at most "
          + "\(Self.longestPath): choose a folder with a shorter path")
    }
    try prepareFolder()
    try removeStale()
    unlink(draft)
    return draft
  }

  /// Puts the socket, which is bound, in its place.
  func publish() throws(Unusable) {
    guard chmod(draft, 0o600) == 0, rename(draft, path) == 0 else { throw failure("cannot be made") }
  }

  /// Takes away the socket, which must be our own.
  func remove() { unlink(path) }

  private func prepareFolder() throws(Unusable) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var status = stat()
    if stat(folder, &status) != 0, errno == ENOENT {
      guard mkdir(folder, 0o700) == 0, stat(folder, &status) == 0 else {
        throw Unusable(description: "\(folder): cannot be made: \(String(cString: strerror(errno)))")
      }
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw Unusable(description: "\(folder): is no folder") }
    // Whoever may write there could put a socket of their own in the place of ours.
    guard status.st_mode & 0o022 == 0, status.st_uid == geteuid() || status.st_uid == 0 else {
      throw Unusable(
        description: "\(folder): others may write there, so clients could not trust a socket in it: chmod 700 \(folder)"
      )
    }
  }

  private func removeStale() throws(Unusable) {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT else { throw failure("cannot be looked at") }
      return
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw Unusable(description: "\(path): is no socket: move it away")
    }
    guard isListenedAt else { return }
    throw Unusable(description: "\(path): another process listens there: stop it first, or use another state folder")
  }

  private var isListenedAt: Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) == 0 }
    }
  }

  private func failure(_ what: String) -> Unusable {
    Unusable(description: "\(path): \(what): \(String(cString: strerror(errno)))")
  }
}

// A file descriptor that is closed when nobody has it any more.

internal import FoundationEssentials
internal import Glibc

/// An open file, closed on exec and at its end.
final class Descriptor: Sendable {
  let raw: Int32

  /// Takes over an open descriptor.
  init(owning raw: Int32) { self.raw = raw }

  deinit { close(raw) }

  /// Opens a file.
  /// - Throws: ``SystemFailure``.
  convenience init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemFailure) {
    let raw = Glibc.open(path, flags | O_CLOEXEC, mode)
    guard raw >= 0 else { throw SystemFailure(path) }
    self.init(owning: raw)
  }

  /// Writes all of `bytes` at the descriptor's position.
  func write(_ bytes: some Collection<UInt8>, what: String = "write") throws(SystemFailure) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemFailure(what) }
      rest = rest.dropFirst(count)
    }
  }

  /// Reads `count` bytes at most; none at the end of the file.
  func read(_ count: Int, at offset: Int64? = nil) throws(SystemFailure) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    while true {
      let read = offset.map { pread(raw, &buffer, count, off_t($0)) } ?? Glibc.read(raw, &buffer, count)
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw SystemFailure("read") }
      return Array(buffer.prefix(read))
    }
  }

  /// Everything from the start.
  func readAll() throws(SystemFailure) -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let piece = try read(64 << 10, at: Int64(all.count))
      if piece.isEmpty { return all }
      all += piece
    }
  }

  /// Makes sure that what was written survives a loss of power.
  func sync(what: String = "fsync") throws(SystemFailure) {
    guard fsync(raw) == 0 else { throw SystemFailure(what) }
  }

  /// Device and number of the file, its size.
  var status: (device: UInt64, inode: UInt64, size: Int64)? {
    var status = stat()
    guard fstat(raw, &status) == 0 else { return nil }
    return (UInt64(status.st_dev), UInt64(status.st_ino), Int64(status.st_size))
  }
}

/// Files that are there as a whole or not at all, also after a loss of power.
enum AtomicFile {
  /// Writes a file beside, syncs it, and puts it in place.
  static func write(_ bytes: some Collection<UInt8>, to path: String) throws(SystemFailure) {
    let temporary = "\(path).tmp"
    do throws(SystemFailure) {
      let file = try Descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC)
      try file.write(bytes, what: temporary)
      try file.sync(what: temporary)
    } catch {
      unlink(temporary)
      throw error
    }
    try move(temporary, to: path)
  }

  /// Puts a synced file in place.
  static func move(_ source: String, to path: String) throws(SystemFailure) {
    guard rename(source, path) == 0 else { throw SystemFailure(path) }
    try syncFolder(of: path)
  }

  /// Makes sure that the entries of the folder that `path` lies in survive.
  static func syncFolder(of path: String) throws(SystemFailure) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    try Descriptor(folder, O_RDONLY | O_DIRECTORY).sync(what: folder)
  }

  /// The whole file; `nil` if there is none.
  static func read(_ path: String) throws(SystemFailure) -> [UInt8]? {
    do throws(SystemFailure) {
      return try Descriptor(path, O_RDONLY).readAll()
    } catch {
      guard error.code == ENOENT || error.code == ENOTDIR else { throw error }
      return nil
    }
  }
}

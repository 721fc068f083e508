// What tells whether a file may have changed since it was read, without reading it.

import Glibc

/// Which file it is, and when it was last touched.
struct FileIdentity: Sendable, Hashable {
  var device: UInt
  var inode: UInt
  var size: Int
  /// Nanoseconds since 1970; the time of change covers files whose time of modification somebody sets.
  var modified: Int
  var changed: Int

  init(_ info: stat) {
    device = UInt(info.st_dev)
    inode = UInt(info.st_ino)
    size = Int(info.st_size)
    modified = Int(info.st_mtim.tv_sec) * 1_000_000_000 + Int(info.st_mtim.tv_nsec)
    changed = Int(info.st_ctim.tv_sec) * 1_000_000_000 + Int(info.st_ctim.tv_nsec)
  }
}

/// Which folder it is: another one at the same path has another identity.
struct FolderIdentity: Sendable, Hashable {
  var device: UInt
  var inode: UInt

  init(_ info: stat) {
    device = UInt(info.st_dev)
    inode = UInt(info.st_ino)
  }
}

/// Why the system refused something, in its own words: `Permission denied`.
struct SystemFailure: Error, Sendable, Hashable, CustomStringConvertible {
  var code: Int32
  var description: String { String(cString: strerror(code)) }

  /// The failure of the call that was just made.
  static var last: SystemFailure { SystemFailure(code: errno) }
}

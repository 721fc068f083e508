// Which file system a folder is on, as /proc/self/mountinfo has it (proc_pid_mountinfo(5)):
//
//     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue

import FoundationEssentials
import Glibc

enum MountTable {
  /// The type of the file system that `path` is on, `ext4`; `nil` if that cannot be told.
  static func fileSystem(of path: String) -> String? {
    var info = stat()
    guard stat(path, &info) == 0, let table = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    else { return nil }
    let device = number(of: UInt64(info.st_dev))
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == device, let end = fields.firstIndex(of: "-"), end + 1 < fields.count
      else { continue }
      return String(fields[end + 1])
    }
    return nil
  }

  /// `major:minor`, as glibc's makedev(3) packs them.
  private static func number(of device: UInt64) -> String {
    let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
    let minor = device & 0xFF | (device >> 12) & ~0xFF
    return "\(major):\(minor)"
  }
}

// Gives back the pages of code that only the start needed.
//
// A start touches most of the program once: the runtime looks through all types, libcrypto sets up each of its
// algorithms. The kernel maps sixteen pages around every touch and leaves them mapped while there is memory to spare, so
// that half of what an idle operator has resident would be code it does not run. Nothing is lost by unmapping it: the
// page cache still has it, and it is mapped again where it is run.

import FoundationEssentials
import Glibc

enum StartupPages {
  /// Unmaps the pages of code; threads that run meanwhile fetch theirs again.
  static func release() {
    guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return }
    for range in codeRanges(maps: maps) {
      // Code is never written to, so there is nothing in it that the file has not.
      madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
    }
  }

  /// Where files are mapped to be executed, and not to be written: lines like
  /// `7f0c1000-7f0c9000 r-xp 00000000 fe:00 5620340  /usr/lib/libc.so.6`.
  static func codeRanges(maps: String) -> [Range<UInt>] {
    maps.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count >= 6, fields[1] == "r-xp", fields[5].hasPrefix("/") else { return nil }
      let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
      guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
      return bounds[0]..<bounds[1]
    }
  }
}

// Which process is meant: numbers are used again, after a while and after every start of the machine.

internal import FoundationEssentials
internal import Glibc

/// A process, told from all others that have had, or will have, its number.
struct ProcessIdentity: Sendable, Hashable, Codable {
  var pid: Int32
  /// When it started, in clock ticks since the machine did: field 22 of /proc/PID/stat.
  var startTicks: UInt64
  /// The start of the machine that the two are about.
  var bootID: String

  /// The process that has this number now; `nil` if there is none.
  init?(pid: Int32) {
    guard let stat = ProcessStat(pid: pid), let bootID = Self.currentBootID else { return nil }
    self.pid = pid
    startTicks = stat.startTicks
    self.bootID = bootID
  }

  /// Whether this very process still runs; one that waits to be collected by its parent does not.
  var isAlive: Bool {
    guard bootID == Self.currentBootID, let stat = ProcessStat(pid: pid) else { return false }
    return stat.startTicks == startTicks && !stat.isOver
  }

  /// A name of this start of the machine.
  static var currentBootID: String? {
    guard let bytes = try? AtomicFile.read("/proc/sys/kernel/random/boot_id") else { return nil }
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(String.init)
  }
}

/// What /proc/PID/stat tells.
struct ProcessStat: Sendable, Hashable {
  let pid: Int32
  let parent: Int32
  let session: Int32
  let startTicks: UInt64
  /// Whether it has ended and only waits to be collected.
  let isOver: Bool

  init?(pid: Int32) {
    guard let bytes = try? AtomicFile.read("/proc/\(pid)/stat") else { return nil }
    // 1234 (a name with any character) S 1 1234 1234 …
    guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
    guard fields.count > 19, let parent = Int32(fields[1]), let session = Int32(fields[3]),
      let startTicks = UInt64(fields[19])
    else { return nil }
    self.pid = pid
    self.parent = parent
    self.session = session
    self.startTicks = startTicks
    isOver = fields[0] == "Z" || fields[0] == "X"
  }

  /// All processes that can be seen.
  static var all: [ProcessStat] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.compactMap { ProcessStat(pid: $0) }
  }

  /// All descendants of a process that have not ended.
  static func descendants(of ancestor: Int32) -> [ProcessStat] {
    let byParent = Dictionary(grouping: all, by: \.parent)
    var found: [ProcessStat] = []
    var open = [ancestor]
    while let next = open.popLast() {
      for child in byParent[next] ?? [] {
        if !child.isOver { found.append(child) }
        open.append(child.pid)
      }
    }
    return found
  }
}

// Whether the kernel has killed for want of memory: nothing else tells such a SIGKILL from that of a person.

internal import Glibc

/// The kernel's count of such kills: of the control group that this process is in, or of the whole machine.
struct OOMKills {
  private let source: String
  private let start: Int?

  init() {
    let group = (try? AtomicFile.read("/proc/self/cgroup")).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
    let path = group?.split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3)
    let events = "/sys/fs/cgroup\(path ?? "")/memory.events"
    source = path != nil && access(events, R_OK) == 0 ? events : "/proc/vmstat"
    start = Self.count(source)
  }

  /// Whether there was one since this value was made.
  var haveGrown: Bool {
    guard let start, let now = Self.count(source) else { return false }
    return now > start
  }

  private static func count(_ source: String) -> Int? {
    guard let bytes = try? AtomicFile.read(source) else { return nil }
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
    return line?.split(separator: " ").last.flatMap { Int($0) }
  }
}

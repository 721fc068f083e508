// What the operating system says about this process, under Prometheus' customary names (Linux only: from /proc).

import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension MetricsRegistry {
  /// Adds the `process_*` metrics.
  package func addProcessMetrics() {
    computed(.counter, "process_cpu_seconds_total", "User and system time spent.") { ProcessFacts.cpuSeconds }
    let facts: [(String, String, @Sendable () -> Double?)] = [
      ("process_resident_memory_bytes", "Memory in use.", { ProcessFacts.residentBytes }),
      ("process_virtual_memory_bytes", "Address space in use.", { ProcessFacts.virtualBytes }),
      ("process_open_fds", "Open file descriptors.", { ProcessFacts.openFiles }),
      ("process_start_time_seconds", "When the process started, since 1970.", { ProcessFacts.startTime }),
    ]
    for (name, help, value) in facts where value() != nil {
      computed(.gauge, name, help) { value() ?? .nan }
    }
  }
}

/// One look at /proc each.
private enum ProcessFacts {
  static var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static var virtualBytes: Double? { pages(0) }
  static var residentBytes: Double? { pages(1) }

  static var openFiles: Double? {
    // The directory itself is open while it is read.
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count - 1) }
  }

  static var startTime: Double? {
    // Field 22, counted in clock ticks since boot. Field 2, the command in parentheses, may itself hold spaces.
    guard let stat = read("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[end...].split(separator: " ")
    let boot = read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }?.dropFirst(6)
    guard fields.count > 20, let ticks = Double(fields[20]), let boot, let booted = Double(boot) else { return nil }
    return booted + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func pages(_ field: Int) -> Double? {
    guard let fields = read("/proc/self/statm")?.split(separator: " "), field < fields.count else { return nil }
    return Double(fields[field]).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
  }

  private static func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}

// ContainerLog: what a container writes, line by line, in the files and the form of a kubelet's node.
//
//     2026-11-23T02:00:01.123456789Z stderr F 2026/11/23 02:00:01 INFO  : There was nothing to transfer
//     2026-11-23T02:00:02.000000000Z stdout P the first 16 KiB of a line that is longer
//
// `F` ends a line, `P` is a part of one. The present file is NAME.log; when it has grown to its limit it becomes
// NAME.log.1, that becomes NAME.log.2, and the oldest goes. Runs in the supervisor; PodLogs reads.

internal import FoundationEssentials
internal import Glibc

/// One of the two streams of a program.
enum LogStream: String, Sendable, CaseIterable, Comparable {
  case output = "stdout"
  case errors = "stderr"

  static func < (left: LogStream, right: LogStream) -> Bool { left.rawValue > right.rawValue }
}

/// Writes the log of one container.
struct ContainerLog {
  /// Longer lines are written in parts.
  private static let longestPart = 16 << 10
  /// What a termination message holds at most.
  private static let tailBytes = 2048
  private static let tailLines = 80

  private let path: String
  private let limits: LogLimits
  private var file: Descriptor
  private var size: Int64
  private var rest: [LogStream: [UInt8]] = [:]
  private var recent: [UInt8] = []
  private var stamp = LogStamp()
  /// Bytes that could not be written, because the disk is full, say. The program must not wait for that.
  private var lost = 0

  init(path: String, limits: LogLimits) throws(SystemFailure) {
    self.path = path
    self.limits = limits
    file = try Descriptor(path, O_WRONLY | O_CREAT | O_APPEND)
    size = file.status?.size ?? 0
  }

  /// The last lines, for the termination message: 80 lines and 2048 bytes at most.
  var tail: String {
    var start = recent.count
    var lines = 0
    for index in recent.indices.reversed() {
      if recent[index] == UInt8(ascii: "\n"), index != recent.count - 1 { lines += 1 }
      if lines == Self.tailLines { break }
      start = index
    }
    return String(decoding: recent[max(start, recent.count - Self.tailBytes)...], as: UTF8.self)
  }

  /// Takes what was read from a stream.
  mutating func take(_ bytes: ArraySlice<UInt8>, from stream: LogStream, at time: Date) {
    var buffer = rest.removeValue(forKey: stream) ?? []
    buffer += bytes
    var entries: [UInt8] = []
    var start = 0
    while start < buffer.count {
      let window = buffer[start..<min(buffer.count, start + Self.longestPart)]
      if let end = window.firstIndex(of: UInt8(ascii: "\n")) {
        append(&entries, buffer[start..<end], stream, isWhole: true, time)
        start = end + 1
      } else if window.count == Self.longestPart {
        append(&entries, window, stream, isWhole: false, time)
        start = window.endIndex
      } else {
        break
      }
    }
    if start < buffer.count { rest[stream] = Array(buffer[start...]) }
    write(entries, at: time)
  }

  /// Writes what has no end of line, and syncs.
  mutating func finish(at time: Date) {
    for stream in LogStream.allCases {
      guard let last = rest.removeValue(forKey: stream) else { continue }
      var entry: [UInt8] = []
      append(&entry, last[...], stream, isWhole: true, time)
      write(entry, at: time)
    }
    try? file.sync()
  }

  private mutating func append(
    _ entries: inout [UInt8], _ text: ArraySlice<UInt8>, _ stream: LogStream, isWhole: Bool, _ time: Date
  ) {
    entries += stamp.text(time)
    entries += " \(stream.rawValue) \(isWhole ? "F" : "P") ".utf8
    entries += text
    entries.append(UInt8(ascii: "\n"))
    recent += text
    if isWhole { recent.append(UInt8(ascii: "\n")) }
    if recent.count > 4 * Self.tailBytes { recent.removeFirst(recent.count - 2 * Self.tailBytes) }
  }

  /// Writes entries, as many to one file as fit into it.
  private mutating func write(_ entries: [UInt8], at time: Date) {
    var rest = entries[...]
    while !rest.isEmpty {
      let room = max(0, Int64(limits.fileSize) - size)
      let fitting = rest.prefix(Int(min(room, Int64(rest.count))))
      if fitting.count == rest.count {
        append(rest, at: time)
        return
      }
      if let end = fitting.lastIndex(of: UInt8(ascii: "\n")) {
        append(rest[...end], at: time)
        rest = rest[(end + 1)...]
      } else if size == 0 {
        // An entry that is longer than a file may be.
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex - 1
        append(rest[...end], at: time)
        rest = rest[(end + 1)...]
      }
      guard rotate() else {
        append(rest, at: time)
        return
      }
    }
  }

  private mutating func append(_ entries: ArraySlice<UInt8>, at time: Date) {
    do throws(SystemFailure) {
      if lost > 0 {
        let note = "\(lost) bytes of the log could not be written and are missing here\n"
        try file.write(stamp.text(time) + Array(" stderr F \(note)".utf8))
        lost = 0
      }
      try file.write(entries)
      size += Int64(entries.count)
    } catch {
      // A part of it may have been written; what follows must begin on a line of its own.
      lost += entries.count
      size = file.status?.size ?? size
      if size > 0 { endLine() }
    }
  }

  /// Cuts off an entry that was written in part only.
  private mutating func endLine() {
    guard let reader = try? Descriptor(path, O_RDONLY) else { return }
    let start = max(0, size - Int64(4 * Self.longestPart))
    guard let end = try? reader.read(Int(size - start), at: start), let last = end.lastIndex(of: UInt8(ascii: "\n"))
    else { return }
    size = start + Int64(last) + 1
    ftruncate(file.raw, off_t(size))
  }

  /// Begins a new file; whether that was possible.
  private mutating func rotate() -> Bool {
    let oldest = max(1, limits.files - 1)
    for number in (1..<oldest).reversed() { rename("\(path).\(number)", "\(path).\(number + 1)") }
    if limits.files > 1 { rename(path, "\(path).1") } else { unlink(path) }
    guard let next = try? Descriptor(path, O_WRONLY | O_CREAT | O_APPEND) else { return false }
    file = next
    size = 0
    return true
  }
}

/// Times of log entries: RFC 3339 in UTC with nanoseconds.
struct LogStamp {
  private var second: Int64 = .min
  private var text: [UInt8] = []

  /// The text of a time. The second is put into words once only.
  mutating func text(_ time: Date) -> [UInt8] {
    let since = time.timeIntervalSince1970
    let whole = Int64(since.rounded(.down))
    if whole != second {
      second = whole
      text = Array("\(time.formatted(Date.ISO8601FormatStyle()))".utf8.dropLast())
    }
    let nanoseconds = Int((since - Double(whole)) * 1_000_000_000)
    let digits = String(min(max(nanoseconds, 0), 999_999_999))
    return text + Array(".\(String(repeating: "0", count: 9 - digits.count))\(digits)Z".utf8)
  }
}

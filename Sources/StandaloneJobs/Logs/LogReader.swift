// Reads the files of one log in order, while they may be written to and exchanged (ContainerLog).
//
// Files are opened from the newest to the oldest, each once: whatever is exchanged meanwhile, none is missed.

internal import FoundationEssentials
internal import Glibc

/// Where a reader of a log stands.
struct LogReader: Sendable {
  private struct File: Sendable {
    let descriptor: Descriptor
    let inode: UInt64
    var offset: Int64 = 0
  }

  private let path: String
  private let timestamps: Bool
  /// Entries before this are left out; in the form that entries have, which sorts by time.
  private let since: [UInt8]?
  private var files: [File]
  /// The start of an entry whose end is not written yet.
  private var rest: [UInt8] = []
  private var isWithinLine = false
  private var bytesLeft: Int

  /// A reader of the log at `path`.
  init(_ path: String, _ options: PodLogOptions) {
    self.path = path
    timestamps = options.timestamps
    var stamp = LogStamp()
    since = options.since.map { stamp.text($0) }
    bytesLeft = options.limitBytes ?? .max
    files = Self.open(path, until: nil)
    if let lines = options.tailLines { skip(toLast: max(0, lines)) }
  }

  /// Whether all that is allowed has been read.
  var isFull: Bool { bytesLeft <= 0 }

  /// The next piece of text; `nil` when there is nothing more at present.
  mutating func next() -> Data? {
    while !isFull {
      guard let bytes = read() else { return nil }
      let text = entries(rest + bytes)
      guard !text.isEmpty else { continue }
      let piece = text.prefix(bytesLeft)
      bytesLeft -= piece.count
      return Data(piece)
    }
    return nil
  }

  // MARK: Files

  /// The files from the oldest to the newest, or those newer than the one called `inode`.
  private static func open(_ path: String, until inode: UInt64?) -> [File] {
    var found: [File] = []
    var number = 0
    while let descriptor = try? Descriptor(number == 0 ? path : "\(path).\(number)", O_RDONLY),
      let status = descriptor.status
    {
      if status.inode == inode { break }
      if !found.contains(where: { $0.inode == status.inode }) {
        found.append(File(descriptor: descriptor, inode: status.inode))
      }
      number += 1
    }
    return found.reversed()
  }

  /// The next bytes; `nil` at the end of the newest file.
  private mutating func read() -> [UInt8]? {
    while true {
      guard let file = files.first else {
        files = Self.open(path, until: nil)
        if files.isEmpty { return nil }
        continue
      }
      if let bytes = try? file.descriptor.read(64 << 10, at: file.offset), !bytes.isEmpty {
        files[0].offset += Int64(bytes.count)
        return bytes
      }
      if files.count > 1 {
        files.removeFirst()
        continue
      }
      let newer = Self.open(path, until: file.inode)
      guard !newer.isEmpty else { return nil }
      // It may have got its last entry after it was read and before it was exchanged.
      if let bytes = try? file.descriptor.read(64 << 10, at: file.offset), !bytes.isEmpty {
        files[0].offset += Int64(bytes.count)
        return bytes
      }
      files = newer
    }
  }

  /// Goes to the start of the last `count` entries.
  private mutating func skip(toLast count: Int) {
    // The end of the last entry is not the start of another one.
    var missing = count + 1
    for index in files.indices.reversed() {
      var end = files[index].descriptor.status?.size ?? 0
      if count == 0 {
        files[index].offset = end
        files.removeFirst(index)
        return
      }
      while end > 0 {
        let start = max(0, end - (64 << 10))
        guard let bytes = try? files[index].descriptor.read(Int(end - start), at: start) else { return }
        for position in bytes.indices.reversed() where bytes[position] == UInt8(ascii: "\n") {
          missing -= 1
          if missing == 0 {
            files[index].offset = start + Int64(position) + 1
            files.removeFirst(index)
            return
          }
        }
        end = start
      }
    }
  }

  // MARK: Entries

  /// The text of all whole entries; the start of another one becomes ``rest``.
  private mutating func entries(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      append(bytes[start..<end], to: &text)
      start = end + 1
    }
    rest = Array(bytes[start...])
    return text
  }

  /// `TIME stdout F text`
  private mutating func append(_ entry: ArraySlice<UInt8>, to text: inout [UInt8]) {
    let parts = entry.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return }
    if let since, parts[0].lexicographicallyPrecedes(since) { return }
    if timestamps, !isWithinLine { text += parts[0] + [UInt8(ascii: " ")] }
    text += parts[3]
    isWithinLine = parts[2].elementsEqual([UInt8(ascii: "P")])
    if !isWithinLine { text.append(UInt8(ascii: "\n")) }
  }
}

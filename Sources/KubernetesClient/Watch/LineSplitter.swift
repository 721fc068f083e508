// Cuts a stream of bytes into lines, whatever pieces it arrives in. No I/O.

import FoundationEssentials

/// Collects bytes and hands out complete lines.
///
/// Only the byte `\n` ends a line: JSON strings may hold U+2028, U+0085 and other characters that text-minded
/// splitters take for line ends. A line longer than the bound is an error, so a broken server cannot fill the memory.
struct LineSplitter {
  /// A line did not end in time.
  struct LineTooLong: Error {
    var limit: Int
  }

  private let limit: Int
  private var buffer = Data()
  /// Where the first line that was not handed out starts.
  private var start: Data.Index = 0
  /// Up to where `buffer` is known to hold no line end after `start`.
  private var searched: Data.Index = 0

  init(limit: Int) { self.limit = limit }

  /// Takes up the next piece.
  mutating func append(_ piece: Data) {
    // Lines handed out are dropped here, once per piece rather than once per line.
    if start > buffer.startIndex {
      searched -= start
      buffer = Data(buffer[start...])
      start = 0
    }
    buffer.append(piece)
  }

  /// The next complete line, without its end; `nil` when more bytes are needed. Empty lines are skipped.
  mutating func nextLine() throws(LineTooLong) -> Data? {
    while let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = buffer[start..<end]
      start = end + 1
      searched = start
      guard line.count <= limit else { throw LineTooLong(limit: limit) }
      if !line.isEmpty { return Data(line) }
    }
    searched = buffer.endIndex
    guard searched - start <= limit else { throw LineTooLong(limit: limit) }
    return nil
  }

  /// Whether bytes of an incomplete line are left.
  var hasIncompleteLine: Bool { start < buffer.endIndex }
}

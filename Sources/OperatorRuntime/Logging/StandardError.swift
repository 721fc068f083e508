// The process's standard error stream, a line at a time.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Standard error.
package enum StandardError {
  /// Writes `text` with as few system calls as it takes, one as a rule, so that lines of several threads do not mix.
  @Sendable package static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = rawWrite(rest)
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
      }
    }
  }

  private static func rawWrite(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    let buffer = UnsafeBufferPointer(rebasing: bytes)
    #if canImport(Glibc)
      return Glibc.write(STDERR_FILENO, buffer.baseAddress, buffer.count)
    #else
      return Darwin.write(STDERR_FILENO, buffer.baseAddress, buffer.count)
    #endif
  }
}

// What the operating system refused, with the path it was about.

internal import Glibc

/// A system call that failed.
struct SystemFailure: Error, Sendable, Hashable, CustomStringConvertible {
  let what: String
  let code: Int32

  /// `code` is the error number, by default the last one.
  init(_ what: String, code: Int32 = errno) {
    self.what = what
    self.code = code
  }

  var description: String { "\(what): \(Self.text(code))" }

  static func text(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    // The XSI form fills the buffer, the GNU form may return a constant instead.
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

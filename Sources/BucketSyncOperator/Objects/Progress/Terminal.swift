// Where a command's output goes: a terminal, on which a line can be written anew, or a file or pipe.

internal import FoundationEssentials
internal import Glibc

struct Terminal: Sendable {
  /// Whether lines can be rewritten in place.
  var canRewrite: Bool
  var hasColor: Bool
  /// How wide the terminal is at this moment.
  var width: @Sendable () -> Int
  var write: @Sendable (String) -> Void

  /// Standard output.
  static func output(_ environment: [String: String]) -> Terminal {
    let isTerminal = isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
    return Terminal(
      canRewrite: isTerminal, hasColor: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty,
      width: {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
      },
      write: { text in
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
          let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
          guard count > 0 || errno == EINTR else { return }
          rest = rest.dropFirst(max(0, count))
        }
      })
  }

  enum Color: String, Sendable { case green = "32", red = "31", yellow = "33" }

  func colored(_ text: String, _ color: Color) -> String {
    hasColor ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
  }
}

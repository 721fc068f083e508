// Reading what a command is given: a file, or standard input for "-".

internal import Glibc

enum InputFile {
  /// More is no manifest.
  private static let limit = 64 << 20

  /// The text of a file.
  /// - Throws: ``CommandFailure``.
  static func text(_ path: String) throws(CommandFailure) -> String {
    let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw CommandFailure("\(path): \(String(cString: strerror(errno)))") }
    defer { if file != STDIN_FILENO { close(file) } }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= limit {
      let count = read(file, &chunk, chunk.count)
      guard count >= 0 else { throw CommandFailure("\(path): \(String(cString: strerror(errno)))") }
      if count == 0 {
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw CommandFailure("\(path): is not valid UTF-8")
        }
        return text
      }
      bytes += chunk[..<count]
    }
    throw CommandFailure("\(path): is too large")
  }
}

/// What a command ends with when it cannot do its work; printed as it is.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

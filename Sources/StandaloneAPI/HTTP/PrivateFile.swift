// Files that hold secrets: readable by their owner from the very first moment, and replaced whole or not at all.

package import FoundationEssentials
import Glibc

/// A file of mode 0600.
package struct PrivateFile: Sendable {
  /// A file cannot be read or written.
  package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
  }

  package let path: String

  package init(path: String) { self.path = path }

  /// The text in it; `nil` if there is no such file.
  /// - Throws: Also when others may read it.
  func read() throws(Failure) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw failure("cannot be read") }
      return nil
    }
    guard status.st_mode & 0o077 == 0 else {
      throw Failure(description: "\(path): others may read it: remove it, and a new one is made")
    }
    guard let data = FileManager.default.contents(atPath: path) else { throw failure("cannot be read") }
    return String(decoding: data, as: UTF8.self)
  }

  /// Puts `data` in place of what is there.
  package func write(_ data: Data) throws(Failure) {
    let draft = "\(path).new"
    unlink(draft)
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("cannot be written") }
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest = rest.dropFirst(count)
    }
    let isWritten = rest.isEmpty && fsync(descriptor) == 0
    let error = errno
    close(descriptor)
    errno = error
    guard isWritten, rename(draft, path) == 0 else {
      let failure = failure("cannot be written")
      unlink(draft)
      throw failure
    }
  }

  private func failure(_ what: String) -> Failure {
    Failure(description: "\(path): \(what): \(String(cString: strerror(errno)))")
  }
}

// The folder in which a standalone operator keeps what it must not forget. One process has it at a time.
//
//     objects.sqlite   the objects (and -wal, its journal)      lock        who has the folder
//     pods/            processes that run, and their logs       api.sock    the API, for this user's programs
//     token            what the API on a port asks for          kubeconfig  how kubectl gets there

internal import Glibc
internal import OperatorRuntime

/// The state of one standalone operator, taken by this process until it ends.
struct StateFolder: Sendable {
  /// Where it is kept unless another place is given: in the folder of manifests, hidden.
  static let defaultName = ".bucket-sync"

  let path: String

  /// Makes the folder if need be, and takes it.
  /// - Throws: ``CommandFailure`` naming the folder and the way out.
  init(path: String) throws(CommandFailure) {
    self.path = path
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw Self.failure("cannot be made", path, "make it, or give another place by --state-dir")
    }
    // Secrets are in there, whoever made it.
    guard chmod(path, 0o700) == 0 else {
      throw Self.failure(
        "cannot be kept from others", path, "give it to the user who runs this, or another place by --state-dir")
    }
    try take()
    // SQLite gives the files beside this one the same permissions.
    let database = open(self.database, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard database >= 0 else {
      throw Self.failure("cannot be written", self.database, "see to its permissions, or give another --state-dir")
    }
    close(database)
  }

  var database: String { "\(path)/objects.sqlite" }
  var token: String { "\(path)/token" }
  var kubeconfig: String { "\(path)/kubeconfig" }
  var socket: String { "\(path)/api.sock" }

  /// Locks the folder; the lock goes with the process, however that ends.
  private func take() throws(CommandFailure) {
    let file = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw Self.failure(
        "cannot be written", path, "see to its permissions and to space, or give another by --state-dir")
    }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let holder = Self.text(of: file)
      close(file)
      throw CommandFailure(
        "\(path): is in use by \(holder.isEmpty ? "another process" : "process \(holder)"); stop that one first, "
          + "or give this one a state of its own by --state-dir")
    }
    let text = "\(getpid())\n"
    guard ftruncate(file, 0) == 0, pwrite(file, text, text.utf8.count, 0) == text.utf8.count else {
      throw Self.failure("cannot be written", path, "make space, or give another place by --state-dir")
    }
  }

  private static func text(of file: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = pread(file, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  private static func failure(_ what: String, _ path: String, _ wayOut: String) -> CommandFailure {
    CommandFailure("\(path): \(what): \(String(cString: strerror(errno))); \(wayOut)")
  }
}

// The socket of a standalone operator: whether somebody is there, before anything is asked.

internal import Glibc

enum StandaloneSocket {
  static func path(in state: String) -> String { "\(state)/api.sock" }

  /// Makes sure that an operator answers at the socket in `state`.
  /// - Parameter folder: Its folder of manifests, as far as known, for the way out.
  /// - Throws: ``CommandFailure``.
  static func check(_ state: String, folder: String?) throws(CommandFailure) {
    let path = path(in: state)
    let code = connectionFailure(path)
    switch code {
    case 0: return
    case ENOENT, ECONNREFUSED, ENOTDIR:
      let start = "homelab-helper bucket-sync standalone \(folder ?? "DIR --state-dir \(state)")"
      throw CommandFailure("no standalone operator runs here: nobody answers at \(path); start it with: \(start)")
    case EACCES, EPERM:
      throw CommandFailure("\(path): belongs to another user; run this as the one that the standalone operator runs as")
    case ENAMETOOLONG:
      throw CommandFailure(
        "\(path): is too long for the name of a socket; use a shorter --state-dir, for the operator too")
    default:
      throw CommandFailure("\(path): \(String(cString: strerror(code)))")
    }
  }

  /// The system's reason why nobody can be reached at the socket; 0 if somebody can.
  private static func connectionFailure(_ path: String) -> Int32 {
    var address = sockaddr_un()
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < room else { return ENAMETOOLONG }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard file >= 0 else { return errno }
    defer { close(file) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result == 0 ? 0 : errno
  }
}

// A port of this machine that refuses connections for as long as this object lives.

import Glibc

final class UnusedPort: Sendable {
  struct Unavailable: Error {
    var code: Int32
  }

  let number: UInt16
  private let socket: Int32

  init() throws(Unavailable) {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { [socket] in
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 ? getsockname(socket, $0, &size) : -1
      }
    }
    guard status == 0 else { throw Unavailable(code: errno) }
    number = UInt16(bigEndian: address.sin_port)
  }

  deinit { close(socket) }
}

// The sockets that libcurl has open: set up when they are made, and known so that dead ones can be given up.
//
// libcurl keeps using an HTTP/2 connection on which requests time out, one after the other, and does not tell which
// socket a transfer in progress uses. An engine talks to one server only, so giving up means giving up all of them.

import CCurl
import Glibc

/// All sockets of one engine. Lives on the engine's thread.
final class OpenSockets {
  private var sockets: Set<curl_socket_t> = []

  /// Ends every connection: all transfers on them fail, later ones connect anew.
  func shutDownAll() {
    for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
  }

  /// Has libcurl report the sockets of a handle's connections here.
  func apply(to options: inout EasyOptions) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    options.set(CURLOPT_SOCKOPTDATA, context)
    options.setSocketCallback { context, socket, _ in
      guard let context else { return Int32(CURL_SOCKOPT_ERROR) }
      Unmanaged<OpenSockets>.fromOpaque(context).takeUnretainedValue().add(socket)
      return Int32(CURL_SOCKOPT_OK)
    }
    options.set(CURLOPT_CLOSESOCKETDATA, context)
    options.setCloseCallback { context, socket in
      if let context { Unmanaged<OpenSockets>.fromOpaque(context).takeUnretainedValue().sockets.remove(socket) }
      return close(socket)
    }
  }

  private func add(_ socket: curl_socket_t) {
    sockets.insert(socket)
    func set(_ level: Int, _ option: Int32, _ value: Int32) {
      var value = value
      setsockopt(socket, Int32(level), option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
    // Makes a silently cut connection known within 30 seconds, whether it is idle or waits for an acknowledgement.
    set(Int(SOL_SOCKET), Int32(SO_KEEPALIVE), 1)
    set(Int(IPPROTO_TCP), TCP_KEEPIDLE, 15)
    set(Int(IPPROTO_TCP), TCP_KEEPINTVL, 5)
    set(Int(IPPROTO_TCP), TCP_KEEPCNT, 3)
    set(Int(IPPROTO_TCP), TCP_USER_TIMEOUT, 30_000)
    // Not for credential plugins to inherit.
    _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
  }
}

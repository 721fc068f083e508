// Who may ask over TCP. Other users of this machine can connect to a loopback address, and so can web pages in a browser
// on it: a page whose name is made to mean 127.0.0.1 (DNS rebinding), or one that sends a form across.

import KubernetesModel
import NIOHTTP1

/// Decides about a request by its head.
struct Doorkeeper: Sendable {
  /// Whoever can connect may ask.
  static let open = Doorkeeper(isOpen: true, token: nil)
  /// Answered by the front itself, to everyone.
  static let probes: Set<String> = ["/livez", "/readyz", "/healthz"]
  private static let known = probes.union(["/version"])

  private let isOpen: Bool
  private let token: APIToken?

  private init(isOpen: Bool, token: APIToken?) {
    self.isOpen = isOpen
    self.token = token
  }

  /// Lets in who knows `token`.
  init(token: APIToken?) { self.init(isOpen: false, token: token) }

  /// Why a request is refused; `nil` if it is not.
  func refusal(of head: HTTPRequestHead) -> Refusal? {
    guard !isOpen else { return nil }
    guard LoopbackAddress.isLoopback(hostHeader: head.headers.first(name: "host") ?? "") else {
      return Refusal(
        403, "Forbidden", "this server answers to its loopback address only, not to the name in the Host header")
    }
    guard !head.headers.contains(name: "origin") else {
      return Refusal(403, "Forbidden", "this server does not answer to web pages")
    }
    let path = head.uri.split(separator: "?", maxSplits: 1).first.map(String.init) ?? ""
    guard !Self.known.contains(path) else { return nil }
    guard let token, head.headers["authorization"].contains(where: token.isProven) else {
      return Refusal(401, "Unauthorized", "Unauthorized")
    }
    return nil
  }
}

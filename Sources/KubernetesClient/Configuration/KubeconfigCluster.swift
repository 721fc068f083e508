// `clusters[…].cluster` of a kubeconfig: where the server is and how it is trusted.

import FoundationEssentials

extension KubeconfigEntry {
  /// This cluster's connection.
  func connection() throws(ConfigurationError) -> ConnectionSettings {
    guard let server = try string("server") else {
      throw error("server", "is missing: set it to the API server's address, https://HOST:PORT")
    }
    guard let scheme = server.firstRange(of: "://").map({ server[..<$0.lowerBound] }),
      ["https", "http"].contains(scheme), server.count > scheme.count + 3,
      !server.contains(where: { $0.isWhitespace || $0 == "@" || $0 == "?" || $0 == "#" })
    else {
      throw error("server", "this is no address: write it as https://HOST:PORT")
    }
    var connection = ConnectionSettings(server: server)
    connection.skipsVerification = try bool("insecure-skip-tls-verify")
    connection.certificateAuthority = try pem("certificate-authority")
    if connection.skipsVerification && connection.certificateAuthority != nil {
      throw error(
        "insecure-skip-tls-verify",
        "with this, certificate-authority would have no effect: remove one of the two"
      )
    }
    connection.tlsServerName = try string("tls-server-name")
    connection.proxy = try proxy()
    return connection
  }

  private func proxy() throws(ConfigurationError) -> String? {
    guard let proxy = try string("proxy-url") else { return nil }
    guard ["http://", "https://", "socks5://"].contains(where: { proxy.hasPrefix($0) && proxy.count > $0.count }) else {
      throw error("proxy-url", "this is no proxy's address: write it as http://, https:// or socks5://HOST:PORT")
    }
    // A proxy that resolves names, as kubectl's does.
    return proxy.hasPrefix("socks5://") ? "socks5h" + proxy.dropFirst("socks5".count) : proxy
  }
}

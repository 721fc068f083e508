// `clusters[…].cluster` of a kubeconfig: where the server is and how it is trusted.

import FoundationEssentials

extension KubeconfigEntry {
  /// This cluster's connection.
  func connection() throws(ConfigurationError) -> ConnectionSettings {
    guard let address = try string("server") else {
      throw error("server", "is missing: set it to the API server's address, https://HOST:PORT")
    }
    let server = Self.parts(ofServer: address).server
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

  /// The credentials in the server's address, `http://USER:PASSWORD@HOST:PORT`, as standalone's kubeconfig has them.
  /// They are taken out of the address, which messages name.
  func credentialInServer() throws(ConfigurationError) -> Credential? {
    guard let address = try string("server"), let pair = Self.parts(ofServer: address).credentials else { return nil }
    let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
      String(percentEncoded: $0)
    }
    guard let user = parts[0], let password = parts.count > 1 ? parts[1] : "" else {
      throw error("server", "the user and password in it cannot be read: write what is special as %XX")
    }
    return .basic(user: user, password: password)
  }

  private static func parts(ofServer address: String) -> (server: String, credentials: Substring?) {
    guard let scheme = address.firstRange(of: "://") else { return (address, nil) }
    let rest = address[scheme.upperBound...]
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    guard let at = rest[..<end].lastIndex(of: "@") else { return (address, nil) }
    return ("\(address[..<scheme.upperBound])\(rest[rest.index(after: at)...])", rest[..<at])
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

// Addresses to listen at, as flags give them: `:8081`, `127.0.0.1:8081`, `[::1]:8081`; `0` for "do not listen".

/// Where a server listens.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// The text is no address to listen at.
  package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package var description: String {
      "\"\(text)\" is no address to listen at; write host:port or :port, or 0 for none"
    }
  }

  /// `nil` for all of this machine's addresses.
  package let host: String?
  package private(set) var port: Int

  /// Reads an address; `nil` for `0`, which turns the server off.
  package init?(_ text: String) throws(Invalid) {
    if text == "0" { return nil }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw Invalid(text: text)
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      throw Invalid(text: text)
    }
    self.host = host.isEmpty ? nil : String(host)
    self.port = Int(port)
  }

  /// The same host at the port that the kernel has chosen.
  package func bound(to port: Int?) -> ListenAddress {
    var address = self
    address.port = port ?? self.port
    return address
  }

  /// The address as it is written.
  package var description: String {
    guard let host else { return ":\(port)" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

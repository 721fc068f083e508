// Addresses that only this machine reaches.

import Glibc
package import OperatorRuntime

/// A TCP address on this machine's loopback interface: `127.0.0.1:8443`, `[::1]:8443`, `localhost:8443`.
package struct LoopbackAddress: Sendable, Hashable, CustomStringConvertible {
  /// The text is no such address.
  package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
  }

  package let address: ListenAddress
  /// The numeric address to listen at.
  let host: String

  /// Reads an address; `nil` for `0`, which means none.
  package init?(_ text: String) throws(Invalid) {
    let address: ListenAddress?
    do { address = try ListenAddress(text) } catch { throw Invalid(description: error.description) }
    guard let address else { return nil }
    guard let name = address.host, let host = Self.numeric(name) else {
      throw Invalid(
        description: """
          "\(text)" is not on this machine's loopback interface: whoever reaches it could read Secrets; \
          write 127.0.0.1:\(address.port), and reach it from elsewhere by a tunnel: \
          ssh -L \(address.port):127.0.0.1:\(address.port) HOST
          """)
    }
    self.address = address
    self.host = host
  }

  package var description: String { address.description }

  /// Whether a request was made to such an address, by its Host header.
  static func isLoopback(hostHeader: String) -> Bool {
    var host = hostHeader[...]
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]") else { return false }
      host = host[host.index(after: host.startIndex)..<end]
    } else if let colon = host.lastIndex(of: ":") {
      host = host[..<colon]
    }
    return numeric(host.lowercased()) != nil
  }

  private static func numeric(_ host: String) -> String? {
    if host == "localhost" { return "127.0.0.1" }
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 ? host : nil }
    var six = in6_addr()
    guard inet_pton(AF_INET6, host, &six) == 1 else { return nil }
    let isLoopback = withUnsafeBytes(of: six) { bytes in bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }
    return isLoopback ? host : nil
  }
}

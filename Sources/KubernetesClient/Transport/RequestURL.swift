// Building a request's URL: percent-encoding, RFC 3986.

extension ConnectionSettings {
  /// The URL of `request` on this server.
  ///
  /// With ``tlsServerName`` it names that host, for the certificate to be checked against; ``connectTo`` then says
  /// where to really connect to.
  func url(of request: APIRequest) -> String {
    var url =
      (tlsServerName.map { "https://\($0):\(port)\(parts.path)" } ?? server) + request.path.percentEncoded(keeping: "/")
    for (index, item) in request.query.enumerated() {
      url += index == 0 ? "?" : "&"
      url += item.name.percentEncoded() + "=" + item.value.percentEncoded()
    }
    return url
  }

  /// `HOST:PORT:HOST:PORT`, from the URL's to the server's, when they differ.
  var connectTo: String? {
    tlsServerName.map { "\($0):\(port):\(host):\(port)" }
  }

  /// The server's host and port, as a Host header has them.
  var authority: String { parts.authority }

  /// Whether the server is on this machine, by its address alone.
  var isLoopback: Bool { host == "localhost" || host == "[::1]" || isOfLoopbackNetwork }

  private var isOfLoopbackNetwork: Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private var host: String {
    guard let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") else { return authority }
    return String(authority[..<colon])
  }

  private var port: String {
    if authority.count > host.count { return String(authority.dropFirst(host.count + 1)) }
    return parts.scheme == "http" ? "80" : "443"
  }

  private var parts: (scheme: String, authority: String, path: String) {
    guard let separator = server.firstRange(of: "://") else { return ("https", server, "") }
    let rest = server[separator.upperBound...]
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    return (String(server[..<separator.lowerBound]), String(rest[..<end]), String(rest[end...]))
  }
}

extension String {
  /// With everything but unreserved characters, and those in `kept`, percent-encoded.
  func percentEncoded(keeping kept: String = "") -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    encoded.reserveCapacity(utf8.count)
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.append(byte)
      case _ where kept.utf8.contains(byte):
        encoded.append(byte)
      default:
        encoded += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// What percent-encoded `text` says; `nil` when it is not well-formed.
  /// - Parameter plusIsSpace: Whether `+` is a blank, as in queries.
  package init?(percentEncoded text: some StringProtocol, plusIsSpace: Bool = false) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    self.init(validating: bytes, as: UTF8.self)
  }
}

extension UInt8 {
  fileprivate var hexDigit: UInt8? { Character(Unicode.Scalar(self)).hexDigitValue.map { UInt8($0) } }
}

// The token that clients of the TCP address must know.

import FoundationEssentials
import Glibc

/// 256 random bits as 64 hexadecimal digits, which need no quoting anywhere.
package struct APIToken: Sendable, Hashable, CustomStringConvertible {
  private static let length = 64

  let value: String

  /// Never the value.
  package var description: String { "an API token" }

  /// The token in `file`, which is made, readable by its owner only, if there is none.
  /// - Throws: ``PrivateFile/Failure`` naming the file and the way out.
  package static func load(
    file: String, random: any RandomNumberGenerator = SystemRandomNumberGenerator()
  ) throws(PrivateFile.Failure) -> APIToken {
    if let text = try PrivateFile(path: file).read() {
      let value = text.filter { !$0.isWhitespace }
      guard value.utf8.count == length, value.allSatisfy(\.isHexDigit) else {
        throw PrivateFile.Failure(
          description: "\(file): is no token: remove it, and a new one is made, with a new kubeconfig")
      }
      return APIToken(value: value)
    }
    var random = random
    let digits = Array("0123456789abcdef")
    let token = APIToken(value: String((0..<length).map { _ in digits[Int(random.next() >> 60)] }))
    try PrivateFile(path: file).write(Data("\(token.value)\n".utf8))
    return token
  }

  /// Whether the value of an Authorization header has the token: `Bearer TOKEN`, or `Basic` with it as the password.
  func isProven(by authorization: String) -> Bool {
    let parts = authorization.split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return false }
    switch parts[0].lowercased() {
    case "bearer": return isEqual(to: parts[1].utf8)
    case "basic":
      guard let pair = Data(base64Encoded: String(parts[1])), let colon = pair.firstIndex(of: UInt8(ascii: ":")) else {
        return false
      }
      return isEqual(to: pair[pair.index(after: colon)...])
    default: return false
    }
  }

  /// Takes as long for a token that is almost right as for one that is quite wrong.
  private func isEqual(to other: some Collection<UInt8>) -> Bool {
    guard other.count == value.utf8.count else { return false }
    return zip(value.utf8, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

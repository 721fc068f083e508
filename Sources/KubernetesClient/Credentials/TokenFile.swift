// A bearer token in a file that somebody rotates, the kubelet for example.

import FoundationEssentials
package import KubernetesModel
import Synchronization

/// Reads a token from a file, again every few seconds, so a rotated token is used long before the old one expires.
package final class TokenFile: CredentialSource {
  private static let freshFor = Duration.seconds(10)

  private let path: String
  private let time: any TimeSource
  private let cache = Mutex<(token: String, readAt: Duration)?>(nil)

  package init(path: String, time: any TimeSource) {
    self.path = path
    self.time = time
  }

  package func credential() throws -> Credential {
    if let (token, readAt) = cache.withLock({ $0 }), time.uptime - readAt < Self.freshFor { return .bearer(token) }
    return try read()
  }

  package func replacement(for refused: Credential) throws -> Credential? {
    let now = try read()
    return now == refused ? nil : now
  }

  private func read() throws -> Credential {
    let token = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self).trimmed } ?? ""
    guard !token.isEmpty else {
      // A file being replaced can be missing for a moment; the old token is good for a while.
      if let (old, _) = cache.withLock({ $0 }) { return .bearer(old) }
      throw TransportError(.notSent, "no token can be read from \(path)")
    }
    cache.withLock { $0 = (token, time.uptime) }
    return .bearer(token)
  }
}

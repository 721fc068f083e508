// What a request identifies itself with, and where that comes from.

import FoundationEssentials

/// A proof of identity. Never to be logged: its description says only what kind it is.
package struct Credential: Sendable, Hashable, CustomStringConvertible {
  /// The value of the `Authorization` header.
  package var authorization: String?
  package var clientCertificate: ClientCertificate?

  package init(authorization: String? = nil, clientCertificate: ClientCertificate? = nil) {
    self.authorization = authorization
    self.clientCertificate = clientCertificate
  }

  package static let none = Credential()
  package static func bearer(_ token: String) -> Credential { Credential(authorization: "Bearer \(token)") }
  package static func basic(user: String, password: String) -> Credential {
    Credential(authorization: "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())")
  }

  package var description: String {
    let parts = [authorization.map { _ in "an authorization header" }, clientCertificate?.description]
    return parts.compactMap { $0 }.joined(separator: " and ")
  }
}

/// Where credentials come from. They can change: tokens are rotated, plugins are asked again.
package protocol CredentialSource: Sendable {
  /// What to use now.
  /// - Throws: `TransportError` of kind `notSent`, saying why there is none; `CancellationError`.
  func credential() async throws -> Credential

  /// What to use after the server has answered 401 to `refused`; `nil` when there is nothing else to try.
  func replacement(for refused: Credential) async throws -> Credential?
}

/// A credential that never changes.
package struct FixedCredential: CredentialSource {
  private let value: Credential

  package init(_ value: Credential) { self.value = value }

  package func credential() -> Credential { value }
  package func replacement(for refused: Credential) -> Credential? { nil }
}

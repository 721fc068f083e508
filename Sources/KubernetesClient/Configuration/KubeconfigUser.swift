// `users[…].user` of a kubeconfig: who we are.

import FoundationEssentials
import KubernetesModel

extension KubeconfigEntry {
  /// This user's credentials on `cluster`.
  func credentials(
    cluster: KubeconfigEntry,
    environment: [String: String],
    time: any TimeSource
  ) throws(ConfigurationError) -> any CredentialSource {
    if !value["auth-provider"].isNull {
      throw error(
        "auth-provider",
        "this way to log in is not supported, nor is it by kubectl since 1.26: use exec, a token or a client certificate"
      )
    }
    for member in ["as", "as-uid", "as-groups", "as-user-extra"] where !value[member].isNull {
      throw error(member, "impersonation is not supported: use the credentials of the user itself")
    }
    let certificate = try clientCertificate()
    // The token file's content counts for more than the token; a plugin is asked only when there is nothing else.
    if let file = try file("tokenFile") {
      return CertifiedSource(certificate: certificate, source: TokenFile(path: file, time: time))
    }
    if let token = try string("token") {
      guard token.allSatisfy({ $0.isASCII && !$0.isWhitespace }) else {
        throw error("token", "there are characters in it that no token has: take the value over whole")
      }
      return FixedCredential(Credential(authorization: "Bearer \(token)", clientCertificate: certificate))
    }
    if let user = try string("username") {
      guard let password = try string("password") else {
        throw error("password", "is missing: a username needs one")
      }
      var credential = Credential.basic(user: user, password: password)
      credential.clientCertificate = certificate
      return FixedCredential(credential)
    }
    if let exec = try mapping("exec") {
      let plugin = try exec.plugin(cluster: cluster, environment: environment)
      return CertifiedSource(certificate: certificate, source: ExecCredentials(plugin: plugin, time: time))
    }
    return FixedCredential(Credential(clientCertificate: certificate))
  }

  private func clientCertificate() throws(ConfigurationError) -> ClientCertificate? {
    switch (try pem("client-certificate"), try pem("client-key")) {
    case (nil, nil): return nil
    case (let certificate?, let key?): return ClientCertificate(certificate: certificate, key: key)
    case (nil, _):
      throw error("client-certificate", "is missing, yet there is a client-key: add client-certificate-data")
    case (_, nil): throw error("client-key", "is missing, yet there is a client-certificate: add client-key-data")
    }
  }
}

/// A source's credentials together with a certificate from the kubeconfig.
private struct CertifiedSource: CredentialSource {
  var certificate: ClientCertificate?
  var source: any CredentialSource

  func credential() async throws -> Credential { certified(try await source.credential()) }

  func replacement(for refused: Credential) async throws -> Credential? {
    var bare = refused
    if bare.clientCertificate == certificate { bare.clientCertificate = nil }
    return try await source.replacement(for: bare).map(certified)
  }

  private func certified(_ credential: Credential) -> Credential {
    var credential = credential
    if credential.clientCertificate == nil { credential.clientCertificate = certificate }
    return credential
  }
}

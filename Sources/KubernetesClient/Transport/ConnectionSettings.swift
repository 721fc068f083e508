// Where the API server is and how it is trusted.

import CCurl
package import FoundationEssentials

/// What a connection to an API server needs, apart from credentials.
package struct ConnectionSettings: Sendable, Hashable {
  /// The server's address, `https://10.0.0.1:6443`, without a slash at its end.
  package var server: String
  /// PEM certificates that the server's is checked against; `nil` for the system's.
  package var certificateAuthority: Data?
  /// The name in the server's certificate, when that is not the address's.
  package var tlsServerName: String?
  /// Whether any certificate will do.
  package var skipsVerification = false
  /// A proxy's URL, which may hold a password.
  package var proxy: String?
  /// A socket in the file system that the server listens at, instead of the port in its address.
  package var unixSocket: String?

  package init(server: String) {
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
  }
}

/// A client certificate and its private key, PEM.
package struct ClientCertificate: Sendable, Hashable, CustomStringConvertible {
  package var certificate: Data
  package var key: Data

  package init(certificate: Data, key: Data) {
    self.certificate = certificate
    self.key = key
  }

  /// Says nothing of the key.
  package var description: String { "a client certificate" }
}

extension ConnectionSettings {
  func apply(to options: inout EasyOptions) {
    options.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    if let certificateAuthority {
      options.set(CURLOPT_CAINFO_BLOB, certificateAuthority)
      // Otherwise the system's directory of certificates would be trusted too.
      options.set(CURLOPT_CAPATH, nil as String?)
    }
    if skipsVerification {
      options.set(CURLOPT_SSL_VERIFYPEER, 0)
      options.set(CURLOPT_SSL_VERIFYHOST, 0)
    }
    if let unixSocket { options.set(CURLOPT_UNIX_SOCKET_PATH, unixSocket) }
    if let proxy {
      options.set(CURLOPT_PROXY, proxy)
    } else if unixSocket != nil || isLoopback {
      // Not the environment's: no proxy leads to this machine, and none should see its token. kubectl does the same.
      options.set(CURLOPT_PROXY, "")
    }
  }
}

extension ClientCertificate {
  func apply(to options: inout EasyOptions) {
    options.set(CURLOPT_SSLCERTTYPE, "PEM")
    options.set(CURLOPT_SSLCERT_BLOB, certificate)
    options.set(CURLOPT_SSLKEYTYPE, "PEM")
    options.set(CURLOPT_SSLKEY_BLOB, key)
  }
}

// Configuration within a pod: the service account that Kubernetes mounts, and the environment it sets.

import FoundationEssentials
import KubernetesModel

extension ClientConfiguration {
  static func inCluster(
    environment: [String: String],
    serviceAccount: String,
    time: any TimeSource
  ) throws(ConfigurationError) -> ClientConfiguration {
    guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
      throw ConfigurationError(
        "no kubeconfig is given and this is no pod (KUBERNETES_SERVICE_HOST is not set): "
          + "set --kubeconfig or KUBECONFIG to a kubeconfig file"
      )
    }
    let port = environment["KUBERNETES_SERVICE_PORT"].flatMap { $0.isEmpty ? nil : $0 } ?? "443"
    let tokenPath = "\(serviceAccount)/token"
    let authorityPath = "\(serviceAccount)/ca.crt"
    guard FileManager.default.isReadableFile(atPath: tokenPath) else {
      throw ConfigurationError(
        "\(tokenPath): there is no service account token to be read: "
          + "let the pod mount one (automountServiceAccountToken), or set --kubeconfig"
      )
    }
    guard let authority = FileManager.default.contents(atPath: authorityPath), authority.looksLikePEM else {
      throw ConfigurationError(
        "\(authorityPath): there is no certificate to be read: "
          + "let the pod mount its service account (automountServiceAccountToken), or set --kubeconfig"
      )
    }
    // IPv6 addresses have brackets in URLs.
    var connection = ConnectionSettings(server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    connection.certificateAuthority = authority
    let namespace = FileManager.default.contents(atPath: "\(serviceAccount)/namespace")
      .map { String(decoding: $0, as: UTF8.self).trimmed }
    return ClientConfiguration(
      connection: connection,
      credentials: TokenFile(path: tokenPath, time: time),
      namespace: namespace?.isEmpty == false ? namespace : nil
    )
  }
}

extension Data {
  /// Whether there is a PEM block in it.
  var looksLikePEM: Bool { String(decoding: self, as: UTF8.self).contains("-----BEGIN ") }
}

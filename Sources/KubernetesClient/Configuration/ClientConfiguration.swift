// How to reach and talk to a cluster: from a kubeconfig, or from within a pod.

package import KubernetesModel

/// Everything that a client of one cluster needs to know.
///
///     let configuration = try ClientConfiguration.load(kubeconfig: path, environment: environment)
///     let client = try configuration.client(userAgent: "bucket-sync/1.0.0")
package struct ClientConfiguration: Sendable {
  package var connection: ConnectionSettings
  package var credentials: any CredentialSource
  /// The context's, or the pod's, namespace.
  package var namespace: String?

  /// Reads the configuration.
  /// - Parameters:
  ///   - kubeconfig: A file, or several with `:` in between, merged as kubectl does. Empty: the pod's service account.
  ///   - environment: The process's environment: where the cluster is, and what plugins are started with.
  ///   - serviceAccount: Where a pod finds its service account.
  ///   - time: When tokens are read again.
  package static func load(
    kubeconfig: String?,
    environment: [String: String],
    serviceAccount: String = "/var/run/secrets/kubernetes.io/serviceaccount",
    time: any TimeSource = SystemTime()
  ) throws(ConfigurationError) -> ClientConfiguration {
    if let kubeconfig, !kubeconfig.isEmpty {
      let paths = kubeconfig.split(separator: ":").map(String.init)
      return try Kubeconfig(paths: paths).configuration(environment: environment, time: time)
    }
    return try inCluster(environment: environment, serviceAccount: serviceAccount, time: time)
  }

  /// A server without credentials that listens at a socket of this machine.
  package static func socket(_ path: String, namespace: String?) -> ClientConfiguration {
    var connection = ConnectionSettings(server: "http://localhost")
    connection.unixSocket = path
    return ClientConfiguration(connection: connection, credentials: FixedCredential(.none), namespace: namespace)
  }

  /// A client with a transport of its own.
  package func client(
    userAgent: String,
    time: any TimeSource = SystemTime(),
    observer: KubernetesClient.Observer? = nil
  ) throws(TransportError) -> KubernetesClient {
    KubernetesClient(transport: try transport(userAgent: userAgent), time: time, observer: observer)
  }

  /// A transport to this cluster.
  package func transport(userAgent: String) throws(TransportError) -> CurlTransport {
    try CurlTransport(connection: connection, credentials: credentials, userAgent: userAgent)
  }
}

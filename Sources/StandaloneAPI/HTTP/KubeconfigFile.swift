// The kubeconfig by which kubectl, and everything else that reads one, finds the API of a standalone process.
//
// The token is in the server's address, since Kubernetes' client library sends the credentials of the `users` section
// over https only. It takes those of an address over http too, and shows them as `***` in errors.

import FoundationEssentials
import OperatorRuntime

/// A kubeconfig for one standalone process.
package struct KubeconfigFile: Sendable {
  /// How cluster and context are called, and the user whose password is the token.
  private static let name = "bucket-sync"

  private let file: PrivateFile

  package init(path: String) { file = PrivateFile(path: path) }

  /// Writes the file, with mode 0600, whole or not at all.
  /// - Parameters:
  ///   - address: Where the API listens.
  ///   - port: The port there, when the system has chosen it.
  ///   - namespace: The namespace of commands that name none.
  package func write(
    address: LoopbackAddress, port: Int?, token: APIToken, namespace: String
  ) throws(PrivateFile.Failure) {
    let place = address.address.bound(to: port)
    let host = place.host ?? address.host
    let server = "\(host.contains(":") ? "[\(host)]" : host):\(place.port)"
    try file.write(
      Data(
        """
        # Written by homelab-helper bucket-sync standalone. Whoever can read this file can do everything there.
        apiVersion: v1
        kind: Config
        current-context: \(Self.name)
        clusters:
          - name: \(Self.name)
            cluster:
              server: http://\(Self.name):\(token.value)@\(server)
        contexts:
          - name: \(Self.name)
            context:
              cluster: \(Self.name)
              namespace: \(namespace)
        users: []

        """.utf8))
  }
}

// Where `kubectl logs` gets its text from: whoever runs the containers.

package import KubernetesClient
import KubernetesModel

/// What is asked of a container's log, the query of `pods/NAME/log`.
package struct ContainerLogRequest: Sendable, Hashable {
  package var namespace: String
  package var pod: String
  /// The pod's UID; empty for a pod that is gone: then the youngest of that name is meant.
  package var uid: String
  package var container: String?
  /// Whether to go on until the container has ended.
  package var follow: Bool
  package var previous: Bool
  package var timestamps: Bool
  package var tailLines: Int?
  package var limitBytes: Int?
  package var sinceSeconds: Int?
}

/// Reads logs of containers.
package protocol ContainerLogs: Sendable {
  /// The log as text, or a refusal as `metav1.Status` with its status code.
  func log(_ request: ContainerLogRequest) async -> APIStream
}

extension APIStream {
  /// The answer that there is no log, as `metav1.Status`.
  package static func refusal(_ code: Int, _ reason: String, _ message: String) -> APIStream {
    APIStream(Refusal(code, reason, message).response)
  }
}

// What has to be in the cluster before any test: the CustomResourceDefinitions of the chart.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import SystemPackage

enum Installation {
  /// Done once for all tests.
  static let ready = Task {
    try? FileManager.default.removeItem(atPath: Testbed.logs.string)
    let definitions = Testbed.package.appending("charts/bucket-sync/files/crds").string
    // Old servers and old kubectls do not know all of the fields: the servers drop them, the kubectls need not check.
    let kubectl = Kubectl(namespace: "default")
    // The first time may meet the contract tests, which make them at the same moment; then they are there the second time.
    if try await kubectl.attempt(["apply", "--validate=false", "--filename", definitions]).code != 0 {
      try await kubectl("apply", "--validate=false", "--filename", definitions)
    }
    try await kubectl("wait", "--for=condition=Established", "--timeout=60s", "--filename", definitions)
  }

  /// A client with an administrator's rights.
  static func client() throws -> KubernetesClient {
    let configuration = try ClientConfiguration.load(
      kubeconfig: Testbed.kubeconfig,
      environment: Testbed.environment
    )
    return try configuration.client(userAgent: "end-to-end-tests")
  }
}

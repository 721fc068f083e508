// Our custom resources on the cluster under test, as the chart ships them.

import FoundationEssentials

enum CustomResources {
  /// The top folder of the repository.
  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The folder of the definitions.
  static let definitions = repository.appending(path: "charts/bucket-sync/files/crds").path

  /// The folder of the examples.
  static let examples = repository.appending(path: "examples/manifests")

  /// Applies the definitions, once, and waits until the server serves them.
  static func install() async throws { try await installation.value }

  private static let installation = Task {
    // Standalone has them, and takes no others.
    guard !Cluster.isStandalone else { return }
    // Without validation, because kubectl has servers before 1.25 refuse CEL rules, which the servers just ignore.
    // The first time may meet the end-to-end tests, which make them at the same moment; then they are there the second time.
    if try await !Kubectl.run("apply", "--validate=false", "-f", definitions).succeeded {
      _ = try await Kubectl.output("apply", "--validate=false", "-f", definitions)
    }
    _ = try await Kubectl.output("wait", "--for=condition=Established", "--timeout=30s", "-f", definitions)
  }
}

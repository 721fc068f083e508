// The container image under test: the archive that `make image` assembles, imported into the testbed's containerd.

import FoundationEssentials
import SystemPackage

/// The image of the operator.
enum OperatorImage {
  /// Whether images can be brought into the cluster.
  static let canBeImported = Testbed.hasEndpoints && Testbed.environment["TESTBED_DIR"] != nil

  /// The name by which pods use it.
  static let name = "bucket-sync:dev"

  static let archive = Testbed.package.appending(".build/image/bucket-sync.tar")

  /// Imports the image, once for all tests.
  static let imported = Task {
    guard FileManager.default.fileExists(atPath: archive.string) else {
      throw Missing(description: "\(archive) is not there; make it by: make image")
    }
    let socket = FilePath(try Testbed.required("TESTBED_DIR")).appending("containerd.sock")
    let result = try await Program.run(
      "ctr", ["--address", socket.string, "--namespace", "k8s.io", "images", "import", archive.string])
    guard result.code == 0 else { throw Missing(description: "the image cannot be imported: \(result.errors)") }
  }

  /// A pod that the restricted Pod Security Standard allows, and that cannot write anywhere.
  /// - Parameters:
  ///   - arguments: What follows `homelab-helper`.
  ///   - container: More fields of the container, as lines of YAML.
  static func pod(_ name: String, _ arguments: [String], container: String = "") -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata:
      name: \(name)
    spec:
      restartPolicy: Never
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
      - name: bucket-sync
        image: \(self.name)
        imagePullPolicy: Never
        args: [\(arguments.map { "\"\($0)\"" }.joined(separator: ", "))]
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL]}
    \(container.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
    """
  }
}

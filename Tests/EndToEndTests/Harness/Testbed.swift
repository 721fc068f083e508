// What the end-to-end tests run against: a cluster, and S3 endpoints that its pods reach.
//
// Tests/Testbed brings both up and describes them in its `env` file; `make test` exports that. Any other cluster does
// as well: without endpoints, only the tests that need none are run.

import FoundationEssentials
import SystemPackage

/// The surroundings that the environment describes.
enum Testbed {
  static let environment = ProcessInfo.processInfo.environment

  /// Whether there is a cluster that tests may use.
  static let isEnabled = environment["BUCKET_SYNC_CLUSTER"] == "1"

  /// Whether pods can sync between endpoints.
  static let hasEndpoints = isEnabled && environment["S3_A_ENDPOINT"] != nil

  /// Whether tests may start endpoints of their own, which they stop to hold a sync in mid-air.
  static let hasNetwork = hasEndpoints && environment["NETWORK_NAMESPACE"] != nil && environment["RCLONE"] != nil

  /// Whether every request to the API server can be read back.
  static let hasAuditLog = isEnabled && environment["AUDIT_LOG"] != nil

  static let kubeconfig = environment["KUBECONFIG"] ?? ""
  static let kubectl = environment["KUBECTL"] ?? "kubectl"

  /// The controller, built beside these tests.
  static let executable: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return FilePath(own).removingLastComponent().appending("homelab-helper").string
  }()

  /// Where logs are kept until the next run of the test.
  static let logs: FilePath = FilePath(executable).removingLastComponent().appending("end-to-end")

  /// The package's own files.
  static let package: FilePath = {
    var path = FilePath(#filePath)
    for _ in 0..<4 { path.removeLastComponent() }
    return path
  }()

  /// The operator of examples/custom-plugin; `make test-cluster` builds it.
  static let exampleOperator = package.appending("examples/custom-plugin/.build/debug/my-operator").string

  /// A variable that the testbed sets.
  /// - Throws: ``Missing`` if it is not set.
  static func required(_ name: String) throws -> String {
    guard let value = environment[name] else { throw Missing(description: "\(name) is not set") }
    return value
  }
}

/// Something that a test needs is not there.
struct Missing: Error, CustomStringConvertible {
  let description: String
}

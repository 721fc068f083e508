// An S3 endpoint of a test's own, which can be stopped like a film: a sync that reads from it is then in mid-air for
// as long as the test likes.

import FoundationEssentials
import SystemPackage
import Testing

/// A running `rclone serve s3` that can be held.
final class HoldableEndpoint: Sendable {
  let endpoint: Endpoint
  private let process: BackgroundProcess

  private init(_ endpoint: Endpoint, _ process: BackgroundProcess) {
    self.endpoint = endpoint
    self.process = process
  }

  /// Starts an endpoint beside the testbed's own.
  static func start(in directory: String, log: FilePath) async throws -> HoldableEndpoint {
    let network = try Testbed.required("NETWORK_NAMESPACE")
    // The bridge that pods hang on. Ports are looked for where nobody else listens.
    let address = "10.77.0.1:\(UInt16.random(in: 20_000..<60_000))"
    let endpoint = Endpoint(
      address: "http://\(address)",
      accessKey: "HOLDABLEACCESS",
      secretKey: "holdable-secret",
      directory: directory,
      secret: "keys-holdable"
    )
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let process = try await BackgroundProcess.start(
      "ip",
      [
        "netns", "exec", network, try Testbed.required("RCLONE"), "serve", "s3", "--addr", address,
        "--vfs-cache-mode", "off", "--dir-cache-time", "50ms", directory,
      ],
      environment: [
        "PATH": Testbed.environment["PATH"] ?? "", "HOME": directory, "RCLONE_CONFIG": "/dev/null",
        // A list with one element, itself with a comma in it.
        "RCLONE_AUTH_KEY": "\"\(endpoint.accessKey),\(endpoint.secretKey)\"",
      ],
      log: log
    )
    try await until("the endpoint at \(address) answers") {
      guard !process.hasEndedByItself else { throw Missing(description: "the endpoint has ended; see \(log)") }
      let answer = try await Program.run(
        "ip",
        ["netns", "exec", network, "curl", "--silent", "--max-time", "2", "http://\(address)/"]
      )
      return answer.code == 0
    }
    return HoldableEndpoint(endpoint, process)
  }

  /// Lets no request be answered until ``release()``.
  func hold() { process.freeze() }

  /// Goes on.
  func release() { process.thaw() }

  /// Ends the endpoint.
  func kill() async { await process.kill() }
}

// The controller under test: the real executable, as a process of its own.

import FoundationEssentials
import Glibc
import SystemPackage
import Testing

/// A running `homelab-helper bucket-sync`.
struct Controller: Sendable {
  let process: BackgroundProcess
  let healthPort: UInt16
  let metricsPort: UInt16

  /// Starts a controller that looks after one namespace, and returns when it says that it is ready.
  /// - Parameters:
  ///   - program: The operator to start.
  ///   - waitUntilReady: `false` for one that cannot get ready (yet).
  static func start(
    _ program: String,
    namespace: String,
    _ flags: [String],
    environment: [String: String],
    log: FilePath,
    waitUntilReady: Bool
  ) async throws -> Controller {
    let health = FreePort.next()
    let metrics = FreePort.next()
    let process = try await BackgroundProcess.start(
      program,
      [
        "bucket-sync", "--namespace", namespace, "--watch-namespaces", namespace,
        "--kubeconfig", Testbed.kubeconfig,
        "--health-address", "127.0.0.1:\(health)", "--metrics-address", "127.0.0.1:\(metrics)",
      ] + flags,
      environment: [
        "PATH": Testbed.environment["PATH"] ?? "", "HOME": "/nonexistent", "LOG_LEVEL": "debug",
        "RCLONE_IMAGE": Testbed.environment["RCLONE_IMAGE"] ?? "",
      ].merging(environment) { $1 },
      log: log
    )
    let controller = Controller(process: process, healthPort: health, metricsPort: metrics)
    if waitUntilReady {
      try await until("the controller of \(namespace) is ready") { await controller.isReady() }
    }
    return controller
  }

  /// Ends it as a crash of its machine would: it gets to do nothing more.
  func crash() async { await process.kill() }

  /// Asks it to stop, and returns its exit code.
  func terminate() async throws -> Int {
    process.terminate()
    return try await process.exitCode()
  }

  /// What `/readyz` says.
  func isReady() async -> Bool { (try? await LocalHTTP.get(port: healthPort, "/readyz"))?.status == 200 }

  /// What `/metrics` says.
  func metrics() async throws -> String { try await LocalHTTP.get(port: metricsPort, "/metrics").body }
}

/// Ports on loopback that nobody else listens on.
enum FreePort {
  /// A port that was free a moment ago. The kernel hands out others for a while, so tests do not meet on it.
  static func next() -> UInt16 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        _ = bind(socket, generic, size)
        getsockname(socket, generic, &size)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
  }
}

/// Requests to the controller's own endpoints.
enum LocalHTTP {
  struct Answer: Sendable {
    var status: Int
    var body: String
  }

  /// - Throws: When nobody listens.
  static func get(port: UInt16, _ path: String) async throws -> Answer {
    let result = try await Program.run(
      "curl",
      ["--silent", "--max-time", "5", "--write-out", "\n%{http_code}", "http://127.0.0.1:\(port)\(path)"]
    )
    guard result.code == 0, let split = result.output.lastIndex(of: "\n"),
      let status = Int(result.output[result.output.index(after: split)...])
    else { throw Missing(description: "no answer from port \(port)") }
    return Answer(status: status, body: String(result.output[..<split]))
  }
}

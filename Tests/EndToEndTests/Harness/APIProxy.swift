// A way to the API server that a test can cut.

import FoundationEssentials
import Synchronization
import SystemPackage
import Testing

/// `kubectl proxy`, and a kubeconfig that leads there.
final class APIProxy: Sendable {
  let port: UInt16
  let kubeconfig: String
  private let log: FilePath
  private let process = Mutex<BackgroundProcess?>(nil)

  /// A proxy that does not run yet.
  init(_ world: World) throws {
    port = FreePort.next()
    log = world.directory.appending("proxy.log")
    kubeconfig = try world.writeKubeconfig(to: Int(port))
  }

  /// A proxy that runs.
  static func start(_ world: World) async throws -> APIProxy {
    let proxy = try APIProxy(world)
    try await proxy.start()
    return proxy
  }

  /// Opens the way.
  func start() async throws {
    let started = try await BackgroundProcess.start(
      Testbed.kubectl,
      ["proxy", "--port", "\(port)"],
      environment: Testbed.environment,
      log: log
    )
    process.withLock { $0 = started }
    try await until("the proxy answers") { (try? await LocalHTTP.get(port: port, "/version"))?.status == 200 }
  }

  /// Cuts the way, with everything that is on it.
  func stop() async {
    let running = process.withLock { process in
      defer { process = nil }
      return process
    }
    await running?.kill()
  }
}

extension World {
  /// Writes a kubeconfig that leads to a port of this machine, where nobody asks who one is.
  func writeKubeconfig(to port: Int, as name: FilePath.Component = "kubeconfig") throws -> String {
    try write(
      kubeconfig: """
        apiVersion: v1
        kind: Config
        current-context: proxy
        contexts: [{name: proxy, context: {cluster: proxy, user: nobody}}]
        clusters: [{name: proxy, cluster: {server: "http://127.0.0.1:\(port)"}}]
        users: [{name: nobody, user: {}}]
        """,
      as: name
    )
  }

  /// A kubeconfig file of the test's own.
  func write(kubeconfig: String, as name: FilePath.Component = "kubeconfig") throws -> String {
    let path = directory.appending(name).string
    try Data(kubeconfig.utf8).write(to: URL(filePath: path))
    return path
  }
}

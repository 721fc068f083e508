// A way from one controller to the real API server, on which things go wrong: FaultProxy, then kubectl proxy.

import FaultProxy
import SystemPackage

/// An open way.
struct FaultyWay: Sendable {
  let proxy: FaultProxy
  /// Leads there.
  let kubeconfig: String
  private let kubectl: APIProxy

  /// Opens a way.
  /// - Parameter name: Of its kubeconfig; tells it from others of the same world.
  static func open(
    _ world: World, _ name: FilePath.Component = "kubeconfig-storm", rates: FaultRates, timeline: Timeline
  ) async throws -> FaultyWay {
    let kubectl = try await APIProxy.start(world)
    let proxy = try await FaultProxy.start(
      to: Int(kubectl.port), plan: FaultPlan(seed: Chaos.seed, rates: rates), timeline: timeline)
    let kubeconfig = try world.write(
      kubeconfig: """
        apiVersion: v1
        kind: Config
        current-context: chaos
        contexts: [{name: chaos, context: {cluster: chaos, user: nobody}}]
        clusters: [{name: chaos, cluster: {server: "http://127.0.0.1:\(proxy.port)"}}]
        users: [{name: nobody, user: {}}]
        """,
      as: name
    )
    return FaultyWay(proxy: proxy, kubeconfig: kubeconfig, kubectl: kubectl)
  }

  /// Closes it.
  func close() async {
    await proxy.stop()
    await kubectl.stop()
  }
}

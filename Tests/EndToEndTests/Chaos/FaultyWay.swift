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
    let kubeconfig = try world.writeKubeconfig(to: Int(proxy.port), as: name)
    return FaultyWay(proxy: proxy, kubeconfig: kubeconfig, kubectl: kubectl)
  }

  /// Closes it.
  func close() async {
    await proxy.stop()
    await kubectl.stop()
  }
}

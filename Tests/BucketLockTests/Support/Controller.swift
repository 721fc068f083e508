// A controller as far as the lock plugin sees one: registered through the public extension points, its cache filled.

import BucketLock
import BucketSyncAPI
import BucketSyncCore
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

let lockNamespace = "bucket-sync-system"

struct Controller {
  let locks: any LockProvider
  let signals = LockSignals()

  /// Starts one on `server`; several may follow each other, as after a crash.
  init(on server: LockServer) async throws {
    let time = ManualTime(now: Date(timeIntervalSince1970: 1_705_284_000))
    let environment = PluginEnvironment(
      namespace: lockNamespace,
      client: KubernetesClient(transport: server, time: time),
      time: time,
      events: EventRecorder(buffer: EventBuffer(metrics: MetricsRegistry())),
      signals: signals,
      metrics: MetricsRegistry(),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    )
    let registry = try PluginRegistry([BucketLock(), NoJobs()], environment: environment)
    locks = try #require(registry.lock?.hook)
    for cache in registry.caches { _ = cache.sources(Feeder(server: server)) }
  }
}

private struct Feeder: CacheSourceFactory {
  let server: LockServer

  func sources<Object: KubernetesObject>(
    of store: ObjectStore<Object>,
    namespace: String?,
    labels: String?
  ) -> [any CacheSource] {
    #expect(namespace == lockNamespace)
    #expect(labels == "\(BucketSyncNames.group)/lock=true")
    if let store = store as? ObjectStore<ConfigMap> { server.feed(store) }
    return []
  }
}

/// The registry insists on a builder.
private struct NoJobs: Plugin, JobBuilder {
  let name = "NoJobs"
  func register(with setup: inout PluginSetup) throws { try setup.buildJob(self) }
  func buildJob(_ run: RunContext, name: String) async throws -> JobManifest { JobManifest([:]) }
  func assess(_ job: Job, pods: [Pod]) -> JobAssessment { .running }
}

/// A run called `name`, whose UID is `uid-of-NAME` unless told otherwise.
func makeRun(_ name: String, from source: String, to destination: String, uid: String? = nil) throws -> RunContext {
  var metadata = ObjectMeta(name: name, namespace: "default")
  metadata.uid = uid ?? "uid-of-\(name)"
  return RunContext(
    run: BucketSync(metadata: metadata, spec: BucketSync.Spec(source: source, destination: destination)),
    source: try BucketPath(source, field: .source),
    destination: try BucketPath(destination, field: .destination)
  )
}

extension LockServer {
  /// UID of the holder of each locked bucket.
  var holders: [String: String] {
    Dictionary(uniqueKeysWithValues: objects.map { ($0.data?["bucket"] ?? "", $0.data?["holderUID"] ?? "") })
  }
}

extension LockResult {
  var obstacle: String? {
    if case .busy(let holder, _) = self { holder } else { nil }
  }
}

// Everything that happened in a namespace, in order: a test sees what was there for a moment only, and can tell what
// came before what.
//
// Objects of different types are put in order by their resource versions, which count the changes of the whole
// cluster in etcd. No client may rely on that; these tests do.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import Synchronization

/// One version of one object.
struct Moment<Object: KubernetesObject>: Sendable {
  enum Change: Sendable { case added, modified, deleted }

  let version: UInt64
  let change: Change
  let object: Object
}

/// The runs, Jobs, pods and ConfigMaps of a namespace, from its creation on.
final class History: Sendable {
  private struct Moments {
    var runs: [Moment<BucketSync>] = []
    var jobs: [Moment<Job>] = []
    var pods: [Moment<Pod>] = []
    var configMaps: [Moment<ConfigMap>] = []
    var policies: [Moment<BucketSyncPolicy>] = []
    /// Set when the server forgot what came next: conclusions from what is missing are not possible then.
    var gaps: [String] = []
  }

  private let moments = Mutex(Moments())

  var runs: [Moment<BucketSync>] { moments.withLock(\.runs) }
  var jobs: [Moment<Job>] { moments.withLock(\.jobs) }
  var pods: [Moment<Pod>] { moments.withLock(\.pods) }
  var configMaps: [Moment<ConfigMap>] { moments.withLock(\.configMaps) }
  var policies: [Moment<BucketSyncPolicy>] { moments.withLock(\.policies) }
  var gaps: [String] { moments.withLock(\.gaps) }

  /// Records until the task is cancelled.
  func record(_ client: KubernetesClient, namespace: String) async {
    await withTaskGroup { group in
      group.addTask { await self.follow(client, namespace) { moments, moment in moments.runs.append(moment) } }
      group.addTask { await self.follow(client, namespace) { moments, moment in moments.jobs.append(moment) } }
      group.addTask { await self.follow(client, namespace) { moments, moment in moments.pods.append(moment) } }
      group.addTask { await self.follow(client, namespace) { moments, moment in moments.configMaps.append(moment) } }
      group.addTask { await self.follow(client, namespace) { moments, moment in moments.policies.append(moment) } }
    }
  }

  private func follow<Object: KubernetesObject>(
    _ client: KubernetesClient,
    _ namespace: String,
    _ store: @Sendable (inout Moments, Moment<Object>) -> Void
  ) async {
    var version = ""
    while !Task.isCancelled {
      do {
        if version.isEmpty {
          let list = try await client.list(Object.self, namespace: namespace)
          for object in list.items { _ = note(.added, object, store) }
          version = list.resourceVersion
        }
        let stream = try await client.watch(
          Object.self,
          namespace: namespace,
          labels: nil,
          fields: nil,
          from: version,
          timeout: .seconds(1800)
        )
        for await event in stream {
          switch event {
          case .added(let object): version = note(.added, object, store)
          case .modified(let object): version = note(.modified, object, store)
          case .deleted(let object): version = note(.deleted, object, store)
          case .bookmark(let reached): version = reached
          case .unreadable(let object, _): throw object
          case .failed(let error): throw error
          }
        }
      } catch {
        guard !Task.isCancelled else { return }
        // A server that is away, or not quite there yet, forgets nothing by that.
        if !version.isEmpty, (error as? APIError)?.isExpired != false {
          moments.withLock { $0.gaps.append("\(Object.resource.plural): \(error)") }
          version = ""
        }
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  private func note<Object: KubernetesObject>(
    _ change: Moment<Object>.Change,
    _ object: Object,
    _ store: @Sendable (inout Moments, Moment<Object>) -> Void
  ) -> String {
    let version = object.metadata.resourceVersion ?? ""
    let moment = Moment(version: UInt64(version) ?? 0, change: change, object: object)
    moments.withLock { store(&$0, moment) }
    return version
  }
}

// BucketLock: exclusive use of buckets, kept in ConfigMaps. Start reading here.
//
// There is one ConfigMap per locked bucket, in the operator's own namespace. Who creates it has the lock, who deletes
// it gives it back; the API server sees to it that a name is created once. `kubectl get configmap -o yaml` shows who
// holds a lock, for which bucket, and since when.
//
//     LockName      how the ConfigMap of a bucket is called
//     LockRecord    what is written into it, and reading it back with suspicion
//     BucketLocks   taking locks and giving them back
//     LockRequests  the single requests, and what their failures mean

public import BucketSyncCore
import KubernetesModel
import OperatorRuntime

/// Keeps bucket locks in ConfigMaps.
public struct BucketLock: Plugin {
  public let name = "BucketLock"

  public init() {}

  public func register(with setup: inout PluginSetup) throws {
    let environment = setup.environment
    let store = setup.cache(
      of: ConfigMap.self,
      namespace: environment.namespace,
      labels: LockRecord.selector,
      indexes: [.holder]
    )
    Self.report(changesOf: store, to: environment.signals)
    try setup.lock(BucketLocks(environment, store: store))
  }

  /// Tells the core of every change of a lock.
  static func report(changesOf store: ObjectStore<ConfigMap>, to signals: LockSignals) {
    store.onChange { change in
      let name = change.object.metadata.name
      switch change {
      case .added, .updated:
        signals.lockChanged(name)
      case .deleted(let configMap):
        guard let bucket = LockRecord.bucket(of: configMap) else { return signals.lockChanged(name) }
        signals.lockReleased(name, bucket: bucket, by: (try? LockRecord(configMap))?.holder.uid)
      }
    }
  }
}

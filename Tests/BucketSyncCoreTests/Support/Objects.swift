// Policies and runs as people write them.

import BucketSyncAPI
import KubernetesModel
import TestSupport

extension World {
  /// Creates a policy; by default one whose only tick within reach is 02:00:00, ten seconds after the world's start.
  @discardableResult
  func createPolicy(
    _ name: String, from source: String = "a", to destination: String = "b", schedule: String = "0 2 * * *",
    limit: Int? = nil, suspend: Bool? = nil, timeout: String? = nil, syncNow: String? = nil
  ) throws -> BucketSyncPolicy {
    var spec = BucketSyncPolicy.Spec(source: source, destination: destination, schedule: schedule)
    spec.syncHistoryLimit = limit
    spec.suspend = suspend
    spec.timeout = timeout
    var metadata = ObjectMeta(name: name, namespace: "default")
    metadata.annotations = syncNow.map { [BucketSyncNames.Annotation.syncNow: $0] }
    return try server.create(BucketSyncPolicy(metadata: metadata, spec: spec))
  }

  /// Creates a run by hand.
  @discardableResult
  func createRun(
    _ name: String, from source: String = "a", to destination: String = "b", timeout: String? = nil
  ) throws -> BucketSync {
    var spec = BucketSync.Spec(source: source, destination: destination)
    spec.timeout = timeout
    return try server.create(BucketSync(metadata: ObjectMeta(name: name, namespace: "default"), spec: spec))
  }

  /// Asks for a run now.
  func trigger(_ policy: String, _ value: String = "") {
    server.change(BucketSyncPolicy.self, .named(policy)) {
      $0["metadata"]["annotations"][BucketSyncNames.Annotation.syncNow] = .string(value)
    }
  }

  func deleteRun(_ name: String) { server.delete(BucketSync.self, .named(name)) }
}

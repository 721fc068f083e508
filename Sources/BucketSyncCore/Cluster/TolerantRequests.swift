// Requests for which "it does not exist" or "it has changed" is an answer, not just a failure.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime

extension KubernetesClient {
  /// The object, or `nil` if there is none.
  func find<Object: KubernetesObject>(_ type: Object.Type, _ key: ObjectKey) async throws(APIError) -> Object? {
    do { return try await get(type, key) } catch {
      guard error.isNotFound else { throw error }
      return nil
    }
  }

  /// Whether the server does not have this very object (by UID), which is then taken out of `cache`: a watch may have
  /// swallowed its deletion.
  func isGone<Object: KubernetesObject>(
    _ object: Object, from cache: ObjectStore<Object>
  ) async throws(APIError) -> Bool {
    // By a list, which the operator's rights on every type allow.
    let found = try await list(
      Object.self, namespace: object.metadata.namespace, fields: "metadata.name=\(object.metadata.name)")
    if found.items.contains(where: { $0.metadata.uid == object.metadata.uid }) { return false }
    cache.forget(object)
    return true
  }

  /// Patches a run as it is in `cache`. When it has changed meanwhile it is read again, so that the next attempt need
  /// not wait for a watch that may be away for a while: the answer to our own last write may have been lost.
  /// - Throws: The conflict all the same.
  func patch<Object: KubernetesObject>(
    _ key: ObjectKey, _ patch: Patch, subresource: Subresource? = nil, rereading cache: ObjectStore<Object>
  ) async throws(APIError) -> Object {
    do { return try await self.patch(Object.self, key, patch, subresource: subresource) } catch {
      // Policies may be listed and watched only; nobody's buckets wait for them.
      if error.isConflict, Object.self is BucketSync.Type, let current = try? await get(Object.self, key) {
        cache.record(current)
      }
      throw error
    }
  }

  /// Deletes this very object (by UID); one that is gone, or is another one by now, needs no deleting.
  /// - Returns: Whether it was there.
  @discardableResult
  func deleteIfPresent<Object: KubernetesObject>(
    _ object: Object, propagation: DeleteOptions.Propagation
  ) async throws(APIError) -> Bool {
    do {
      try await delete(Object.self, object.key, DeleteOptions(uid: object.metadata.uid, propagation: propagation))
      return true
    } catch {
      if error.isNotFound { return false }
      // A conflict says that something is different, not that it is the UID.
      let isOther =
        error.isConflict ? try await find(Object.self, object.key)?.metadata.uid != object.metadata.uid : false
      guard isOther else { throw error }
      return false
    }
  }
}

// Requests for which "it does not exist" is an answer, not a failure.

import KubernetesClient
import KubernetesModel

extension KubernetesClient {
  /// The object, or `nil` if there is none.
  func find<Object: KubernetesObject>(_ type: Object.Type, _ key: ObjectKey) async throws(APIError) -> Object? {
    do { return try await get(type, key) } catch {
      guard error.isNotFound else { throw error }
      return nil
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

// Requests that both halves of the runner make.

internal import KubernetesClient
internal import KubernetesModel
internal import OperatorRuntime

extension KubernetesClient {
  /// Whether this very object exists, by the API's own word.
  func exists<Object: KubernetesObject>(
    _ type: Object.Type, _ key: ObjectKey, uid: String
  ) async throws(APIError)
    -> Bool
  {
    do {
      return try await get(type, key).metadata.uid == uid
    } catch {
      guard error.isNotFound else { throw error }
      return false
    }
  }

  /// Takes the runner's finalizer off a pod.
  func removeFinalizer(of pod: LocalPod, _ pods: ObjectStore<LocalPod>) async throws(APIError) {
    let rest = (pod.metadata.finalizers ?? []).filter { $0 != LocalPod.finalizer }
    let patch: JSONValue = [
      "metadata": [
        "uid": .string(pod.uid), "resourceVersion": .string(pod.metadata.resourceVersion ?? ""),
        "finalizers": rest.isEmpty ? nil : .array(rest.map { .string($0) }),
      ]
    ]
    do {
      let written = try await self.patch(LocalPod.self, pod.key, .merge(patch))
      // An object that is being deleted may be gone with its last finalizer; the watch will tell.
      if !written.metadata.isBeingDeleted { pods.record(written) }
    } catch {
      guard error.isNotFound else { throw error }
    }
  }

  /// Deletes this very object, unless it is gone or being deleted.
  func deleteOnce<Object: KubernetesObject>(
    _ object: Object, propagation: DeleteOptions.Propagation
  ) async throws(APIError) {
    guard !object.metadata.isBeingDeleted else { return }
    do {
      try await delete(Object.self, object.key, DeleteOptions(uid: object.metadata.uid, propagation: propagation))
    } catch {
      guard error.isNotFound else { throw error }
    }
  }
}

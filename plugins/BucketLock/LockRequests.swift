// The requests that locks are made of, and what their failures mean for a person.

import FoundationEssentials
import KubernetesClient
import KubernetesModel

/// Requests about lock ConfigMaps in one namespace.
struct LockRequests: Sendable {
  enum Creation {
    case created(ConfigMap)
    case exists
  }

  enum Deletion {
    /// It is gone, now or before.
    case gone
    /// It is there in another state than the one to be deleted.
    case changed
  }

  let client: KubernetesClient
  let namespace: String

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: namespace, name: name) }

  func create(_ record: LockRecord) async throws(LockFailure) -> Creation {
    let configMap = record.configMap(namespace: namespace)
    do {
      return .created(try await client.create(configMap))
    } catch  where error.isAlreadyExists {
      return .exists
    } catch {
      throw LockFailure("create", configMap.key, error)
    }
  }

  /// The ConfigMap as it is now; `nil` when there is none.
  func read(_ name: String) async throws(LockFailure) -> ConfigMap? {
    do {
      return try await client.get(ConfigMap.self, key(name))
    } catch  where error.isNotFound {
      return nil
    } catch {
      throw LockFailure("read", key(name), error)
    }
  }

  /// Gives a lock of our own a new version; `nil` when it is gone, or in another state by now.
  func renew(_ configMap: ConfigMap, at time: Date) async throws(LockFailure) -> ConfigMap? {
    let patch: JSONValue = [
      "metadata": ["resourceVersion": .string(configMap.metadata.resourceVersion ?? "")],
      "data": .object([LockRecord.renewedAt: .string(MicroTimestamp(time).description)]),
    ]
    do {
      return try await client.patch(ConfigMap.self, configMap.key, .merge(patch))
    } catch  where error.isNotFound || error.isConflict {
      return nil
    } catch {
      throw LockFailure("patch", configMap.key, error)
    }
  }

  /// Deletes exactly this state of the ConfigMap.
  func delete(_ configMap: ConfigMap) async throws(LockFailure) -> Deletion {
    try await delete(
      configMap.metadata.name,
      uid: configMap.metadata.uid,
      version: configMap.metadata.resourceVersion
    )
  }

  /// Deletes the ConfigMap if it has this UID and version.
  func delete(_ name: String, uid: String?, version: String?) async throws(LockFailure) -> Deletion {
    do {
      try await client.delete(ConfigMap.self, key(name), DeleteOptions(uid: uid, resourceVersion: version))
      return .gone
    } catch  where error.isNotFound {
      return .gone
    } catch  where error.isConflict {
      return .changed
    } catch {
      throw LockFailure("delete", key(name), error)
    }
  }
}

/// A request about a lock that failed.
struct LockFailure: Error, CustomStringConvertible {
  let verb: String
  let key: ObjectKey
  let cause: APIError

  init(_ verb: String, _ key: ObjectKey, _ cause: APIError) {
    self.verb = verb
    self.key = key
    self.cause = cause
  }

  /// Whether a write may have taken effect nevertheless.
  var mayHaveApplied: Bool {
    switch cause {
    case .refused: (cause.statusCode ?? 500) >= 500
    case .unreachable(_, let mayHaveApplied): mayHaveApplied
    case .malformed, .cancelled: true
    }
  }

  /// One sentence: the ConfigMap, the trouble, and the way out where there is one.
  var description: String {
    let what = "cannot \(verb) lock ConfigMap \(key.name) in namespace \"\(key.namespace ?? "")\""
    if cause.isNamespaceTerminating {
      return "\(what): the namespace is being deleted; create it anew, or start the controller with another --namespace"
    }
    if cause.isNotFound {
      return "\(what): the namespace does not exist; create it, or start the controller with another --namespace"
    }
    if cause.isForbidden {
      let rights = "get, list, watch, create, patch and delete ConfigMaps"
      return "\(what): \(cause); let the controller's service account \(rights) there"
    }
    return "\(what): \(cause)"
  }
}

// StatusWriter: writes just what changed of an object's status, and nothing when nothing did.
//
// Every write is a merge patch on the status subresource that carries the resource version it was made from, so a
// change by somebody else in between is a conflict and never overwritten. `lastReconciledTime` is moved only together
// with another change: with no input there are no writes (design.md section 7, L3).

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime

/// A status as both kinds have it.
protocol ReconciledStatus: Codable, Hashable {
  var observedGeneration: Int64? { get set }
  var lastReconciledTime: Timestamp? { get set }
  init()
}

/// An object with such a status.
protocol ReconciledObject: KubernetesObject {
  associatedtype Status: ReconciledStatus
  var status: Status? { get }
}

extension BucketSync.Status: ReconciledStatus {}
extension BucketSync: ReconciledObject {}
extension BucketSyncPolicy.Status: ReconciledStatus {}
extension BucketSyncPolicy: ReconciledObject {}

/// Writes statuses.
struct StatusWriter: Sendable {
  let client: KubernetesClient
  let time: any TimeSource

  /// Applies `change` to the object's status and writes the difference.
  /// - Returns: The object as it now is; also put into `cache`.
  func write<Object: ReconciledObject>(
    _ object: Object, cache: ObjectStore<Object>, _ change: (inout Object.Status) -> Void
  ) async throws(APIError) -> Object {
    let old = object.status ?? .init()
    var new = old
    new.observedGeneration = object.metadata.generation
    change(&new)
    guard new != old else { return object }
    new.lastReconciledTime = Timestamp(time.now)
    let patch: JSONValue
    do {
      patch = [
        "metadata": ["resourceVersion": .string(object.metadata.resourceVersion ?? "")],
        "status": mergePatch(from: try JSONValue(encoding: old), to: try JSONValue(encoding: new)),
      ]
    } catch {
      throw .malformed("the status of \(Object.resource.kind) \(object.key) cannot be written as JSON: \(error)")
    }
    let written = try await client.patch(object.key, .merge(patch), subresource: .status, rereading: cache)
    cache.record(written)
    return written
  }
}

/// The JSON merge patch (RFC 7386) that turns `old` into `new`.
func mergePatch(from old: JSONValue, to new: JSONValue) -> JSONValue {
  guard case .object(let before) = old, case .object(let after) = new else { return new }
  var patch: [String: JSONValue] = [:]
  for (key, value) in after where before[key] != value {
    patch[key] = before[key].map { mergePatch(from: $0, to: value) } ?? value
  }
  for key in before.keys where after[key] == nil { patch[key] = .null }
  return .object(patch)
}

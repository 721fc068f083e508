// What the garbage collector of the controller manager does about owner references, one step at a time.

package import KubernetesModel

/// A request that the garbage collector makes.
package enum GarbageStep: Sendable {
  /// To delete an object, with these options.
  case delete(ResourcePath, JSONValue)
  /// To change an object by this merge patch.
  case patch(ResourcePath, JSONValue)
}

extension ServerState {
  /// Does one thing that the garbage collector would do next.
  /// - Returns: Whether there was anything to do.
  package mutating func collectGarbage(now: Timestamp) -> Bool {
    let steps = nextGarbage()
    for step in steps {
      switch step {
      case .delete(let path, let options): _ = try? delete(path, options, now: now)
      case .patch(let path, let patch):
        _ = try? change(path, isPatch: true) { (old: JSONValue) throws(Refusal) -> JSONValue in old.merged(with: patch)
        }
      }
    }
    return !steps.isEmpty
  }

  /// The one thing that the garbage collector would do next; empty if there is none.
  package func nextGarbage() -> [GarbageStep] {
    let uids = Set(objects.values.compactMap { $0["metadata"]["uid"].string })
    for (path, object) in objects.sorted(by: { $0.key < $1.key }) {
      let isBeingDeleted = !object["metadata"]["deletionTimestamp"].isNull
      if !isBeingDeleted, !object.owners.isEmpty, object.owners.allSatisfy({ !uids.contains($0["uid"].string ?? "") }) {
        return [deletion(of: path, object, "Background")]
      }
      let finalizers = object["metadata"]["finalizers"].array ?? []
      guard isBeingDeleted,
        let finalizer = finalizers.first(where: { [Self.foreground, Self.orphan].contains($0.string) })
      else { continue }
      let dependents = objects.filter { $0.value.isOwned(by: object) }.sorted { $0.key < $1.key }
      var steps: [GarbageStep] = []
      if finalizer.string == Self.orphan {
        steps = dependents.map { dependent in
          let others = dependent.value.owners.filter { $0["uid"] != object["metadata"]["uid"] }
          return patch(of: dependent.key, dependent.value, "ownerReferences", others)
        }
      } else if let next = dependents.first(where: { $0.value["metadata"]["deletionTimestamp"].isNull }) {
        return [deletion(of: next.key, next.value, "Foreground")]
      } else if dependents.contains(where: { blocks($0.value, object) }) {
        continue
      }
      return steps + [patch(of: path, object, "finalizers", finalizers.filter { $0 != finalizer })]
    }
    return []
  }

  private func blocks(_ dependent: JSONValue, _ owner: JSONValue) -> Bool {
    dependent.owners.contains { $0["uid"] == owner["metadata"]["uid"] && $0["blockOwnerDeletion"] == true }
  }

  private func deletion(of path: ResourcePath, _ object: JSONValue, _ propagation: JSONValue) -> GarbageStep {
    .delete(path, ["preconditions": ["uid": object["metadata"]["uid"]], "propagationPolicy": propagation])
  }

  private func patch(of path: ResourcePath, _ object: JSONValue, _ field: String, _ value: [JSONValue]) -> GarbageStep {
    .patch(path, ["metadata": ["resourceVersion": object["metadata"]["resourceVersion"], field: .array(value)]])
  }
}

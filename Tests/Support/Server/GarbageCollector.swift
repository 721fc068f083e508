// What the garbage collector of the controller manager does about owner references, one step at a time.

package import KubernetesModel

extension ServerState {
  /// Does one thing that the garbage collector would do next.
  /// - Returns: Whether there was anything to do.
  package mutating func collectGarbage(now: Timestamp) -> Bool {
    let uids = Set(objects.values.compactMap { $0["metadata"]["uid"].string })
    for (path, object) in objects.sorted(by: { $0.key < $1.key }) {
      let isBeingDeleted = !object["metadata"]["deletionTimestamp"].isNull
      if !isBeingDeleted, !object.owners.isEmpty, object.owners.allSatisfy({ !uids.contains($0["uid"].string ?? "") }) {
        _ = try? delete(path, ["propagationPolicy": "Background"], now: now)
        return true
      }
      let finalizers = object["metadata"]["finalizers"].array ?? []
      guard isBeingDeleted,
        let finalizer = finalizers.first(where: { [Self.foreground, Self.orphan].contains($0.string) })
      else { continue }
      let dependents = objects.filter { $0.value.isOwned(by: object) }.sorted { $0.key < $1.key }
      if finalizer.string == Self.orphan {
        for dependent in dependents { orphan(dependent.key, from: object) }
      } else if let next = dependents.first(where: { $0.value["metadata"]["deletionTimestamp"].isNull }) {
        _ = try? delete(next.key, ["propagationPolicy": "Foreground"], now: now)
        return true
      } else if dependents.contains(where: { blocks($0.value, object) }) {
        continue
      }
      _ = try? change(path) { (old: JSONValue) throws(Refusal) -> JSONValue in
        var new = old
        new["metadata"]["finalizers"] = .array(finalizers.filter { $0 != finalizer })
        return new
      }
      return true
    }
    return false
  }

  private func blocks(_ dependent: JSONValue, _ owner: JSONValue) -> Bool {
    dependent.owners.contains { $0["uid"] == owner["metadata"]["uid"] && $0["blockOwnerDeletion"] == true }
  }

  private mutating func orphan(_ path: ResourcePath, from owner: JSONValue) {
    _ = try? change(path) { (old: JSONValue) throws(Refusal) -> JSONValue in
      var new = old
      new["metadata"]["ownerReferences"] = .array(old.owners.filter { $0["uid"] != owner["metadata"]["uid"] })
      return new
    }
  }
}

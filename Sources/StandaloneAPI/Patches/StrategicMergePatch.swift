// Strategic merge patches, which kubectl sends for built-in types: merge patches in which some lists are merged by a key
// of their elements (Kubernetes documentation, "Update API Objects in Place Using kubectl patch").
//
//     {"metadata": {"finalizers": ["a"], "$deleteFromPrimitiveList/finalizers": ["b"]}}
//     {"spec": {"containers": [{"name": "rclone", "image": "new"}, {"name": "old", "$patch": "delete"}]}}

import KubernetesModel

enum StrategicMergePatch {
  /// Lists of objects that are merged, by the field that tells their elements apart. Wherever these names occur in the
  /// types that are served, this is their key.
  private static let keys = [
    "ownerReferences": "uid", "containers": "name", "initContainers": "name", "env": "name", "volumes": "name",
    "volumeMounts": "mountPath", "conditions": "type", "imagePullSecrets": "name",
  ]
  /// Lists of plain values that are merged as sets.
  private static let sets: Set<String> = ["finalizers"]
  private static let directive = "$patch"
  private static let deletion = "$deleteFromPrimitiveList/"
  private static let order = "$setElementOrder/"

  /// `document` after `patch`.
  static func merge(_ document: JSONValue, _ patch: JSONValue) -> JSONValue {
    guard case .object(var changes) = patch else { return patch }
    if changes[directive] == "replace" {
      changes.removeValue(forKey: directive)
      return .object(changes)
    }
    if changes[directive] == "delete" { return [:] }
    var members = document.object ?? [:]
    for (name, change) in changes where !name.hasPrefix("$") {
      if change.isNull {
        members.removeValue(forKey: name)
      } else if let elements = change.array {
        members[name] = .array(list(members[name]?.array ?? [], elements, named: name))
      } else {
        members[name] = merge(members[name] ?? .null, change)
      }
    }
    for (name, gone) in changes where name.hasPrefix(deletion) {
      let list = String(name.dropFirst(deletion.count))
      let removed = gone.array ?? []
      members[list] = (members[list]?.array).map { .array($0.filter { !removed.contains($0) }) }
    }
    for (name, wanted) in changes where name.hasPrefix(order) {
      let list = String(name.dropFirst(order.count))
      guard let elements = members[list]?.array else { continue }
      members[list] = .array(ordered(elements, by: wanted.array ?? [], named: list))
    }
    return .object(members)
  }

  private static func list(_ old: [JSONValue], _ changes: [JSONValue], named name: String) -> [JSONValue] {
    if sets.contains(name) { return old + changes.filter { !old.contains($0) } }
    guard let key = keys[name], changes.allSatisfy({ $0.object != nil }) else { return changes }
    if changes.contains(where: { $0[directive] == "replace" }) {
      return changes.filter { $0[directive].isNull }
    }
    var result = old
    for change in changes {
      let index = result.firstIndex { $0[key] == change[key] }
      if change[directive] == "delete" {
        if let index { result.remove(at: index) }
      } else if let index {
        result[index] = merge(result[index], change)
      } else {
        result.append(change)
      }
    }
    return result
  }

  /// Elements in the wanted order; others keep their places at the end.
  private static func ordered(_ elements: [JSONValue], by wanted: [JSONValue], named name: String) -> [JSONValue] {
    func rank(_ element: JSONValue) -> Int {
      let index = wanted.firstIndex { place in
        if let key = keys[name] { place[key] == element[key] } else { place == element }
      }
      return index ?? wanted.count
    }
    return elements.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }
}

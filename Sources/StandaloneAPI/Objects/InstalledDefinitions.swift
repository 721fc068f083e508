// The definitions of custom resources as objects to read, `kubectl get crd`: those that this program has, and no others.

import KubernetesModel

extension ObjectVerbs {
  /// Stores the definitions that the catalog has, and removes those that it has no more.
  mutating func installDefinitions(_ options: WriteOptions) throws(Refusal) {
    let definition = ResourceDefinition.customResourceDefinitions
    guard catalog.definitions.contains(definition) else { return }
    var wanted: [String: JSONValue] = [:]
    for object in catalog.definitions.compactMap(\.installed) {
      if let name = object["metadata"]["name"].string { wanted[name] = object }
    }
    let bodies = try storage { () throws(SQLiteError) in try database.bodies(definition.storageName, namespace: nil) }
    for body in bodies {
      let old = try Self.decoded(body)
      let target = RequestTarget(definition, namespace: nil, name: old["metadata"]["name"].string)
      guard let address = target.address else { continue }
      guard var new = wanted.removeValue(forKey: address.name) else {
        _ = try remove(address, old, options)
        continue
      }
      new["metadata"] = old["metadata"]
      if new != old { _ = try commit(address, new, isNew: false, options) }
    }
    for (_, object) in wanted.sorted(by: { $0.key < $1.key }) {
      _ = try create(RequestTarget(definition, namespace: nil, name: nil), object, options)
    }
  }
}

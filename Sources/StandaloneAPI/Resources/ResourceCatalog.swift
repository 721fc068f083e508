// All resource types of a server, and what discovery tells of them.

import KubernetesModel

/// The resource types that are served.
package struct ResourceCatalog: Sendable, Hashable {
  package let definitions: [ResourceDefinition]
  private let byPath: [String: ResourceDefinition]

  package init(_ definitions: [ResourceDefinition]) {
    self.definitions = definitions
    byPath = Dictionary(definitions.map { ($0.type.path(), $0) }, uniquingKeysWith: { first, _ in first })
  }

  func definition(group: String, version: String, plural: String) -> ResourceDefinition? {
    let type = ResourceType(group: group, version: version, kind: "", plural: plural)
    return byPath[type.path()]
  }

  /// The definition under whose group objects of a stored resource are given to the garbage collector and to watches.
  func definition(storedAs name: String) -> ResourceDefinition? { definitions.first { $0.storageName == name } }

  /// What discovery answers at `path`; `nil` when it is no address of discovery.
  func discovery(_ path: String) -> JSONValue? {
    let parts = path.split(separator: "/").map(String.init)
    switch (parts.first, parts.count) {
    case ("version", 1):
      return [
        "major": "1", "minor": "36", "gitVersion": "v1.36.0+bucket-sync", "platform": "linux",
      ]
    case ("api", 1): return ["kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []]
    case ("apis", 1):
      return [
        "kind": "APIGroupList", "apiVersion": "v1",
        "groups": .array(groups.map { Self.apiGroup($0, versions(of: $0)) }),
      ]
    case ("apis", 2): return groups.contains(parts[1]) ? Self.apiGroup(parts[1], versions(of: parts[1])) : nil
    case ("api", 2): return resources(group: "", version: parts[1])
    case ("apis", 3): return resources(group: parts[1], version: parts[2])
    default: return nil
    }
  }

  private var groups: [String] {
    definitions.map(\.type.group).reduce(into: []) { if !$1.isEmpty, !$0.contains($1) { $0.append($1) } }
  }

  private func versions(of group: String) -> [String] {
    definitions.filter { $0.type.group == group }.map(\.type.version).reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
  }

  private static func apiGroup(_ name: String, _ versions: [String]) -> JSONValue {
    let all: [JSONValue] = versions.map {
      ["groupVersion": .string("\(name)/\($0)"), "version": .string($0)]
    }
    return [
      "kind": "APIGroup", "apiVersion": "v1", "name": .string(name), "versions": .array(all),
      "preferredVersion": all.first ?? .null,
    ]
  }

  private func resources(group: String, version: String) -> JSONValue? {
    let served = definitions.filter { $0.type.group == group && $0.type.version == version }
    guard let type = served.first?.type else { return nil }
    return [
      "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(type.apiVersion),
      "resources": .array(served.flatMap(\.discovered)),
    ]
  }
}

extension ResourceDefinition {
  /// The resource and its subresources, `metav1.APIResource`.
  fileprivate var discovered: [JSONValue] {
    func entry(_ name: String, verbs: [JSONValue], kind: String? = nil) -> JSONValue {
      [
        "name": .string(name), "singularName": .string(name.contains("/") ? "" : singular),
        "namespaced": .bool(type.isNamespaced), "kind": .string(kind ?? type.kind), "verbs": .array(verbs),
      ]
    }
    var own = entry(
      type.plural,
      verbs: isReadOnly
        ? ["get", "list", "watch"]
        : ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"])
    if !shortNames.isEmpty { own["shortNames"] = .array(shortNames.map { .string($0) }) }
    if !categories.isEmpty { own["categories"] = .array(categories.map { .string($0) }) }
    var all = [own]
    if hasStatus { all.append(entry("\(type.plural)/status", verbs: ["get", "patch", "update"])) }
    if self == .pods { all.append(entry("pods/log", verbs: ["get"])) }
    return all
  }
}

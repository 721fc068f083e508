// Addresses in the API, taken apart: /apis/batch/v1/namespaces/default/jobs/nightly/status.

import KubernetesModel

/// What a request is about: a resource, and in it a namespace, an object, a part of the object.
struct RequestTarget: Sendable, Hashable {
  var definition: ResourceDefinition
  var namespace: String?
  var name: String?
  var subresource: String?

  /// - Throws: A refusal when nothing of the kind is served at `path`.
  init(path: String, in catalog: ResourceCatalog) throws(Refusal) {
    var parts = path.split(separator: "/").map(String.init)[...]
    let notServed = Refusal(404, "NotFound", "the server could not find the requested resource")
    let group: String
    switch parts.popFirst() {
    case "api": group = ""
    case "apis": group = parts.popFirst() ?? ""
    default: throw notServed
    }
    let version = parts.popFirst() ?? ""
    // /api/v1/namespaces/NAME is an object, and so are its parts; anything longer lies in that namespace.
    if parts.first == "namespaces", parts.count > 2, !["status", "finalize"].contains(parts.dropFirst(2).first) {
      namespace = parts.dropFirst().first
      parts = parts.dropFirst(2)
    }
    guard let plural = parts.popFirst(), parts.count <= 2,
      let definition = catalog.definition(group: group, version: version, plural: plural)
    else { throw notServed }
    self.definition = definition
    name = parts.popFirst()
    subresource = parts.popFirst()
    guard definition.type.isNamespaced || namespace == nil else { throw notServed }
    guard name == nil || !definition.type.isNamespaced || namespace != nil else { throw notServed }
  }

  init(_ definition: ResourceDefinition, namespace: String?, name: String?) {
    self.definition = definition
    self.namespace = namespace
    self.name = name
  }

  /// The place of the object; `nil` for a collection.
  var address: ObjectAddress? {
    name.map { ObjectAddress(resource: definition.storageName, namespace: namespace ?? "", name: $0) }
  }

  /// Whether it is a namespace, which goes only when nothing is in it any more.
  var hasContents: Bool { definition.storageName == ResourceDefinition.namespaces.storageName }

  /// `jobs.batch "nightly"`, as kube-apiserver calls it.
  var described: String {
    let group = definition.type.group
    return "\(definition.type.plural)\(group.isEmpty ? "" : ".\(group)") \"\(name ?? "")\""
  }
}

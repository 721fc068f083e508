// Custom resources: definitions read from the very files that a cluster gets.

package import KubernetesModel

extension ResourceDefinition {
  /// A manifest that is no definition this server could serve.
  package struct UnusableDefinition: Error, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// The type that a `CustomResourceDefinition` of `apiextensions.k8s.io/v1` defines, in its stored version.
  package init(customResource manifest: JSONValue) throws(UnusableDefinition) {
    let spec = manifest["spec"]
    let names = spec["names"]
    guard manifest["kind"] == "CustomResourceDefinition", let group = spec["group"].string,
      let kind = names["kind"].string, let plural = names["plural"].string,
      let version = spec["versions"].array?.first(where: { $0["storage"] == true }),
      let versionName = version["name"].string
    else {
      let name = manifest["metadata"]["name"].string ?? ""
      throw UnusableDefinition(description: "\"\(name)\" is no complete CustomResourceDefinition")
    }
    let columns = (version["additionalPrinterColumns"].array ?? []).map { column in
      PrinterColumn(
        column["name"].string ?? "", column["type"].string ?? "string", column["jsonPath"].string ?? "",
        description: column["description"].string ?? "", priority: Int(column["priority"].integer ?? 0))
    }
    self.init(
      ResourceType(
        group: group, version: versionName, kind: kind, plural: plural, isNamespaced: spec["scope"] == "Namespaced"),
      singular: names["singular"].string, shortNames: Self.strings(names["shortNames"]),
      categories: Self.strings(names["categories"]), hasStatus: !version["subresources"]["status"].isNull,
      schema: version["schema"]["openAPIV3Schema"], columns: columns, isCustom: true)
    self.manifest = manifest
  }

  /// Its `CustomResourceDefinition` as a cluster would have it, without what every object gets when it is stored.
  var installed: JSONValue? {
    guard var definition = manifest else { return nil }
    let spec = definition["spec"]
    func condition(_ type: String, _ reason: String, _ message: String) -> JSONValue {
      [
        "type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message),
        "lastTransitionTime": "1970-01-01T00:00:00Z",
      ]
    }
    definition["status"] = [
      "acceptedNames": spec["names"], "storedVersions": [.string(type.version)],
      "conditions": [
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
      ],
    ]
    return definition
  }

  private static func strings(_ json: JSONValue) -> [String] { (json.array ?? []).compactMap(\.string) }
}

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
  }

  private static func strings(_ json: JSONValue) -> [String] { (json.array ?? []).compactMap(\.string) }
}

// What the standalone mode's API serves: the types of Kubernetes that the operator needs, and ours, by the definitions of
// the chart, which are compiled in.

internal import KubernetesClient
internal import StandaloneAPI

enum StandaloneDefinitions {
  /// Everything that is served.
  /// - Throws: When a definition of the chart is broken, which its tests rule out.
  static func catalog() throws -> ResourceCatalog {
    let files = [PackageResources.bucketsyncpolicies_yaml, PackageResources.bucketsyncs_yaml]
    let custom = try files.flatMap { try YAML.documents(in: String(decoding: $0, as: UTF8.self)) }
      .map { try ResourceDefinition(customResource: $0) }
    return ResourceCatalog(ResourceDefinition.builtIn + custom)
  }
}

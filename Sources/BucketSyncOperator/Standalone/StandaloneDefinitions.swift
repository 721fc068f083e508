// What the standalone mode's API serves: the types of Kubernetes that the operator needs, and ours, by the definitions of
// the chart, which are compiled in.

internal import BucketSyncAPI
internal import KubernetesClient
internal import KubernetesModel
internal import StandaloneAPI
internal import StandaloneFolder

enum StandaloneDefinitions {
  /// What may be in a folder of manifests; everything else is the operator's own.
  static let inFolders =
    [
      ResourceDefinition.namespaces, .secrets, .configMaps,
    ].map(\.type) + [BucketSyncPolicy.resource, BucketSync.resource]

  /// What a file cannot change: the rule that the definition of runs has in CEL.
  static let veto: ManifestVeto = { stored, wanted in
    guard stored["kind"].string == BucketSync.resource.kind, stored["spec"] != wanted["spec"] else { return nil }
    return ("spec", "the spec of a BucketSync never changes; delete it and create another one")
  }

  /// Everything that is served.
  /// - Throws: When a definition of the chart is broken, which its tests rule out.
  static func catalog() throws -> ResourceCatalog {
    let files = [PackageResources.bucketsyncpolicies_yaml, PackageResources.bucketsyncs_yaml]
    let custom = try files.flatMap { try YAML.documents(in: String(decoding: $0, as: UTF8.self)) }
      .map { try ResourceDefinition(customResource: $0) }
    return ResourceCatalog(ResourceDefinition.builtIn + custom)
  }
}

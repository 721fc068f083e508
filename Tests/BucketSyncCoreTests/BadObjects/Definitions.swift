// The definitions in the chart: what the API server lets in, as its own schema says it.

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport

@testable import StandaloneAPI

/// One of the two kinds, as the chart defines it.
struct Definition: Sendable {
  /// `openAPIV3Schema`.
  let json: JSONValue
  let schema: StructuralSchema
  private let resource: ResourceDefinition

  static func policies() throws -> Definition { try Definition("bucketsyncpolicies") }
  static func runs() throws -> Definition { try Definition("bucketsyncs") }

  private init(_ name: String) throws {
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = repository.appending(path: "charts/bucket-sync/files/crds/\(name).yaml")
    let manifest = try YAML.document(in: String(decoding: try Data(contentsOf: file), as: UTF8.self))
    let version = manifest["spec"]["versions"].array?.first { $0["storage"] == true }
    json = version?["schema"]["openAPIV3Schema"] ?? .null
    schema = StructuralSchema(json)
    resource = try ResourceDefinition(customResource: manifest)
  }

  /// What the API server would say against `object`, or against changing `old` to it; `nil` when it takes it.
  func refusal(of object: JSONValue, after old: JSONValue? = nil) -> String? {
    let causes =
      schema.causes(object) + schema.brokenRules(object, after: old) + MetadataRules.causes(object, of: resource)
    return causes.isEmpty ? nil : causes.map { "\($0.field): \($0.message.prefix(300))" }.joined(separator: "; ")
  }

  /// `object` as it is stored: without what the schema does not know.
  func stored(_ object: JSONValue) -> JSONValue {
    var unknown: [FieldPath] = []
    return schema.defaulted(schema.withoutNulls(schema.pruned(object, &unknown)))
  }
}

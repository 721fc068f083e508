import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

/// The definitions as files, and as the server understood them.
@Suite("Shape of the schemas", .serialized, .enabled(if: Cluster.isEnabled))
struct SchemaShapeTests {
  private static let names = ["bucketsyncpolicies", "bucketsyncs"]

  /// The schema in a definition's file.
  private func schema(_ name: String) async throws -> JSONValue {
    let file = "\(CustomResources.definitions)/\(name).yaml"
    let definition = try await Kubectl.object("create", "--dry-run=client", "--validate=false", "-f", file)
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
  }

  @Test("the server finds nothing to complain about", arguments: names)
  func conditions(name: String) async throws {
    try await CustomResources.install()
    let definition = try await Kubectl.object("get", "customresourcedefinition", "\(name).\(BucketSyncNames.group)")
    let conditions = definition["status"]["conditions"].array ?? []
    let states = Dictionary(conditions.map { ($0["type"].string, $0["status"].string) }) { $1 }
    #expect(states["Established"] == "True")
    #expect(states["NamesAccepted"] == "True")
    // A structural schema has no such condition.
    #expect(states["NonStructuralSchema"] == nil)
  }

  @Test("every field is described", arguments: names)
  func descriptions(name: String) async throws {
    let schema = try await schema(name)
    #expect(undescribed(schema, path: "") == ["metadata"])
  }

  private func undescribed(_ schema: JSONValue, path: String) -> [String] {
    let members = (schema["properties"].object ?? [:]).sorted { $0.key < $1.key }
    let below = members.flatMap { key, value in
      (value["description"].string?.isEmpty == false ? [] : [path + key]) + undescribed(value, path: "\(path)\(key).")
    }
    return below + (schema["items"].isNull ? [] : undescribed(schema["items"], path: "\(path)[]."))
  }

  @Test("all lists of variables have the same schema")
  func variables() async throws {
    var items: Set<JSONValue> = []
    for name in Self.names {
      let spec = try await schema(name)["properties"]["spec"]["properties"]
      items.insert(spec["sourceEnv"]["items"])
      items.insert(spec["destinationEnv"]["items"])
    }
    #expect(items.count == 1)
    #expect(items.first?["properties"].object?.keys.sorted() == ["name", "value", "valueFrom"])
  }

  @Test(
    "fields that both kinds share are the same in both",
    arguments: ["source", "destination", "jobLabels", "timeout", "parameters"]
  )
  func shared(field: String) async throws {
    let policy = try await schema("bucketsyncpolicies")["properties"]["spec"]["properties"][field]
    #expect(!policy.isNull)
    #expect(try await schema("bucketsyncs")["properties"]["spec"]["properties"][field] == policy)
  }

  @Test("the schemas have exactly the fields that the code knows")
  func fields() async throws {
    let policy = try await schema("bucketsyncpolicies")["properties"]
    #expect(keys(policy["spec"]["properties"]) == keys(try JSONValue(encoding: FullObjects.policy.spec)))
    #expect(keys(policy["status"]["properties"]) == keys(try JSONValue(encoding: FullObjects.policy.status)))
    let run = try await schema("bucketsyncs")["properties"]
    #expect(keys(run["spec"]["properties"]) == keys(try JSONValue(encoding: FullObjects.run.spec)))
    #expect(keys(run["status"]["properties"]) == keys(try JSONValue(encoding: FullObjects.run.status)))
  }

  private func keys(_ value: JSONValue) -> [String] { value.object?.keys.sorted() ?? [] }

  @Test("rules of CEL are where newer servers look for them")
  func rules() async throws {
    func rules(_ name: String) async throws -> [String?] {
      let spec = try await schema(name)["properties"]["spec"]
      return spec["x-kubernetes-validations"].array?.map(\.["rule"].string) ?? []
    }
    #expect(try await rules("bucketsyncpolicies") == ["self.source != self.destination"])
    #expect(try await rules("bucketsyncs") == ["self.source != self.destination", "self == oldSelf"])
  }
}

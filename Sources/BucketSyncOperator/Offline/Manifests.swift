// The policies and runs in a file of manifests.

internal import BucketSyncAPI
internal import BucketSyncCore
internal import KubernetesClient
internal import KubernetesModel

/// One document that a Job can be made of.
enum Manifest: Sendable {
  case policy(BucketSyncPolicy)
  case run(BucketSync)

  /// Reads a document; `nil` for another kind.
  /// - Throws: ``CommandFailure``.
  init?(_ document: JSONValue) throws(CommandFailure) {
    let kinds = [BucketSyncPolicy.resource.kind, BucketSync.resource.kind]
    guard let kind = document["kind"].string, kinds.contains(kind) else { return nil }
    let version = document["apiVersion"].string ?? ""
    guard version == BucketSync.resource.apiVersion else {
      throw CommandFailure("apiVersion \"\(version)\" must be \(BucketSync.resource.apiVersion)")
    }
    guard document["metadata"]["name"].string != nil else { throw CommandFailure("metadata.name is missing") }
    self =
      kind == BucketSync.resource.kind
      ? .run(try Self.read(document, as: BucketSync.self)) : .policy(try Self.read(document, as: BucketSyncPolicy.self))
  }

  /// Reads an object, of whose spec nothing must be lost.
  static func read<Object: KubernetesObject>(
    _ document: JSONValue, as type: Object.Type
  ) throws(CommandFailure) -> Object {
    let object: Object
    let read: JSONValue
    do {
      object = try document.decoded(as: type)
      read = try JSONValue(encoding: object)
    } catch {
      throw CommandFailure("\(error)")
    }
    if let problem = LostFields.problem(in: document["spec"], read: read["spec"], at: "spec") {
      throw CommandFailure(problem)
    }
    return object
  }

  /// `BucketSyncPolicy default/nightly`, for messages.
  static func title(_ document: JSONValue) -> String {
    let metadata = document["metadata"]
    let name = metadata["name"].string ?? "without a name"
    return "\(document["kind"].string ?? "document") \(metadata["namespace"].string.map { "\($0)/" } ?? "")\(name)"
  }

  /// All documents of a text; the items of lists count as documents.
  /// - Throws: ``CommandFailure`` naming `source` and the line.
  static func documents(in text: String, source: String) throws(CommandFailure) -> [JSONValue] {
    do throws(YAMLError) {
      return try YAML.documents(in: text).filter { !$0.isNull }.flatMap { document in
        document["kind"].string?.hasSuffix("List") == true ? document["items"].array ?? [] : [document]
      }
    } catch {
      throw CommandFailure("\(source): \(error)")
    }
  }

  /// What would become of it.
  /// - Throws: ``InvalidPreview``.
  func preview(at tick: Timestamp?, now: Timestamp) throws(InvalidPreview) -> RunPreview {
    switch self {
    case .policy(let policy): try RunPreview(of: policy, at: tick, now: now)
    case .run(let run): try RunPreview(of: run, now: tick ?? now)
    }
  }
}

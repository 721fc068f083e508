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
    guard document["apiVersion"].string?.hasPrefix("\(BucketSyncNames.group)/") == true else { return nil }
    guard document["metadata"]["name"].string != nil else {
      throw CommandFailure("\(Self.title(document)): metadata.name is missing")
    }
    do {
      switch document["kind"].string {
      case BucketSyncPolicy.resource.kind: self = .policy(try document.decoded(as: BucketSyncPolicy.self))
      case BucketSync.resource.kind: self = .run(try document.decoded(as: BucketSync.self))
      default: return nil
      }
    } catch {
      throw CommandFailure("\(Self.title(document)): \(error)")
    }
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

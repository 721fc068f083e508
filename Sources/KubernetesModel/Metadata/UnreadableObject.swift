// Objects that cannot be read: somebody loosened a definition, a newer version wrote them, or they carry our labels
// without being ours. One of them must not keep the others from being seen.

/// An object that exists and cannot be read as its type.
public struct UnreadableObject: Error, Sendable, Hashable, CustomStringConvertible {
  public let resource: ResourceType
  /// As much of its metadata as can be read; `nil` when not even its name can.
  public let metadata: ObjectMeta?
  /// Where and why it cannot be read: `null instead of String at spec.jobLabels.app`.
  public let problem: String

  /// An object of which only `metadata` could be read.
  public init(resource: ResourceType, metadata: ObjectMeta?, problem: String) {
    self.resource = resource
    self.metadata = metadata
    self.problem = problem
  }

  /// Where the object is found, if that is known.
  public var key: ObjectKey? { metadata?.key }

  /// A reference to the object, if it is known which one it is.
  public var reference: ObjectReference? {
    metadata.map {
      ObjectReference(
        apiVersion: resource.apiVersion, kind: resource.kind, namespace: $0.namespace, name: $0.name, uid: $0.uid,
        resourceVersion: $0.resourceVersion)
    }
  }

  public var description: String {
    "\(resource.kind) \(key.map { "\($0)" } ?? "without a readable name") cannot be read: \(problem)"
  }
}

extension ObjectMeta {
  /// As much as can be read of the metadata of the object whose bytes are `object`; `nil` when its name cannot.
  public init?(remainsOf object: JSONSlice) {
    guard let fields = object["metadata"], let members = fields.members else { return nil }
    // Of members that are there twice, decoders take the last.
    let values = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    func value<Value: Decodable>(_ key: String, as type: Value.Type = Value.self) -> Value? {
      values[key].flatMap { try? $0.decoded(as: type) }
    }
    guard let name: String = value("name"), !name.isEmpty else { return nil }
    self.init(name: name, namespace: value("namespace"))
    uid = value("uid")
    resourceVersion = value("resourceVersion")
    generation = value("generation")
    creationTimestamp = value("creationTimestamp")
    deletionTimestamp = value("deletionTimestamp")
    func texts(_ key: String) -> [String: String]? {
      guard let members = values[key]?.members else { return nil }
      let pairs = members.compactMap { member in
        (try? member.value.decoded(as: String.self)).map { (member.key, $0) }
      }
      return Dictionary(pairs, uniquingKeysWith: { $1 })
    }
    labels = texts("labels")
    annotations = texts("annotations")
    ownerReferences = values["ownerReferences"]?.elements?.compactMap { try? $0.decoded(as: OwnerReference.self) }
    finalizers = values["finalizers"]?.elements?.compactMap { try? $0.decoded(as: String.self) }
  }
}

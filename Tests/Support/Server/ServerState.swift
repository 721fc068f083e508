// What the server in memory stores, and the rules of the real one about it, without transport and without locks:
// versions, generations, preconditions, subresources, finalizers, graceful deletion of pods.

package import KubernetesModel

/// One change of one object.
package struct ServerChange: Sendable {
  package enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED" }

  package var kind: Kind
  package var path: ResourcePath
  package var revision: Int
  package var old: JSONValue?
  /// As it now is, or last was.
  package var object: JSONValue
}

package struct ServerState: Sendable {
  package private(set) var objects: [ResourcePath: JSONValue] = [:]
  package private(set) var history: [ServerChange] = []
  package private(set) var revision = 1000
  package private(set) var oldestKnown = 1000
  private var nextUID = 1
  var terminatingNamespaces: Set<String> = []

  static let foreground = "foregroundDeletion"
  static let orphan = "orphan"

  /// Nothing is stored yet.
  package init() {}

  package mutating func compact() {
    oldestKnown = revision
    history = []
  }

  // MARK: Reading

  package func object(_ path: ResourcePath) throws(Refusal) -> JSONValue {
    guard let object = objects[path.object] else { throw .notFound(path) }
    return object
  }

  package func list(_ collection: ResourcePath, _ selector: LabelSelector) -> [JSONValue] {
    objects.filter { $0.key.isWithin(collection) && selector.matches($0.value) }.sorted { $0.key < $1.key }.map(\.value)
  }

  // MARK: Writing

  package mutating func create(
    _ collection: ResourcePath, _ draft: JSONValue, now: Timestamp
  ) throws(Refusal) -> JSONValue {
    guard let name = draft["metadata"]["name"].string, !name.isEmpty else { throw .invalid("metadata.name is missing") }
    if let namespace = collection.namespace, terminatingNamespaces.contains(namespace) {
      throw Refusal(403, "Forbidden", "namespace \(namespace) is being terminated", cause: "NamespaceTerminating")
    }
    var path = collection
    path.name = name
    guard objects[path] == nil else {
      throw Refusal(409, "AlreadyExists", "\(path.plural) \"\(name)\" already exists")
    }
    var object = draft
    object["metadata"]["namespace"] = path.namespace.map { .string($0) } ?? .null
    object["metadata"]["uid"] = .string("uid-\(nextUID)")
    object["metadata"]["generation"] = 1
    object["metadata"]["creationTimestamp"] = .string(now.description)
    object["metadata"].removeMember("deletionTimestamp")
    object["metadata"] = object["metadata"].withoutEmpty
    nextUID += 1
    return commit(.added, path, nil, object)
  }

  /// Changes an object by `body`, or only its status if `path` says so.
  /// - Parameter isPatch: Whether it is a patch of the stored object, rather than another object in its place.
  package mutating func change(
    _ path: ResourcePath, isPatch: Bool = false, _ body: (JSONValue) throws(Refusal) -> JSONValue
  ) throws(Refusal) -> JSONValue {
    let old = try object(path)
    let wanted = try body(old)
    try check(wanted, path, old, isPatch)
    var new = path.subresource == "status" ? old : wanted
    new["status"] = hasStatus(path) && path.subresource == nil ? old["status"] : wanted["status"]
    if new["status"].isNull { new.removeMember("status") }
    for field in Self.fixed { new["metadata"][field] = old["metadata"][field] }
    new["metadata"] = new["metadata"].withoutEmpty
    return try store(path.object, old, new)
  }

  /// - Returns: The object as it last was, or as it now waits for its end.
  package mutating func delete(_ path: ResourcePath, _ options: JSONValue, now: Timestamp) throws(Refusal) -> JSONValue
  {
    let old = try object(path)
    for field in ["uid", "resourceVersion"] {
      let wanted = options["preconditions"][field]
      guard wanted.isNull || wanted == old["metadata"][field] else { throw .conflict(path) }
    }
    let isPod = path.plural == "pods"
    let isBeingDeleted = !old["metadata"]["deletionTimestamp"].isNull
    let period = isPod ? gracePeriod(old, options) : 0
    // A pod that is being deleted can only be given less time, and what does not say how much asks for nothing.
    if isPod, isBeingDeleted {
      let left = old["metadata"]["deletionGracePeriodSeconds"].integer ?? 0
      guard !options["gracePeriodSeconds"].isNull, period < left else { return old }
    }
    let finalizers = finalizers(path, old, options)
    // What neither waits nor could have been given time is gone without a word.
    guard isPod || !finalizers.isEmpty else { return remove(path.object, old) }
    var new = old
    new["metadata"]["finalizers"] = .array(finalizers)
    new["metadata"]["deletionGracePeriodSeconds"] = .integer(period)
    if !isBeingDeleted {
      new["metadata"]["deletionTimestamp"] = .string(now.description)
      new["metadata"]["generation"] = .integer((old["metadata"]["generation"].integer ?? 0) + 1)
    }
    new["metadata"] = new["metadata"].withoutEmpty
    if new != old { new = commit(.modified, path.object, old, new) }
    return finalizers.isEmpty && period == 0 ? remove(path.object, new) : new
  }

  // MARK: Details

  /// What requests cannot change.
  private static let fixed = [
    "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
  ]

  private func check(
    _ wanted: JSONValue, _ path: ResourcePath, _ old: JSONValue, _ isPatch: Bool
  ) throws(Refusal) {
    let (metadata, before) = (wanted["metadata"], old["metadata"])
    let version = metadata["resourceVersion"]
    if version.isNull || version == "" {
      if isCustom(path) || path.plural == "leases" {
        throw .invalid("metadata.resourceVersion: must be specified for an update")
      }
    } else if version != before["resourceVersion"] {
      throw .conflict(path)
    }
    let isOther = !metadata["uid"].isNull && metadata["uid"] != before["uid"]
    if isOther, !isPatch { throw .conflict(path) }
    // Of a status of a custom resource nothing else is looked at.
    if isCustom(path), path.subresource == "status" { return }
    if isOther { throw .invalid("metadata.uid: field is immutable") }
    if before["deletionTimestamp"].isNull, !metadata["deletionTimestamp"].isNull {
      throw .invalid("metadata.deletionTimestamp: field is immutable")
    }
  }

  private mutating func store(_ path: ResourcePath, _ old: JSONValue, _ wanted: JSONValue) throws(Refusal) -> JSONValue
  {
    var new = wanted
    new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
    if new == old { return old }
    if new["spec"] != old["spec"] {
      new["metadata"]["generation"] = .integer((old["metadata"]["generation"].integer ?? 0) + 1)
    }
    let finalizers = new["metadata"]["finalizers"].array ?? []
    if !new["metadata"]["deletionTimestamp"].isNull {
      let before = old["metadata"]["finalizers"].array ?? []
      guard finalizers.allSatisfy({ before.contains($0) || $0.string == Self.foreground }) else {
        throw Refusal.invalid("no finalizers can be added to an object that is being deleted")
      }
      let isWaitedFor = (new["metadata"]["deletionGracePeriodSeconds"].integer ?? 0) != 0
      if finalizers.isEmpty, !isWaitedFor { return remove(path, new) }
    }
    return commit(.modified, path, old, new)
  }

  /// Watches are told of the object as it was stored last, without what the request that removes it has changed, and
  /// the answer to that request has no version of its own.
  private mutating func remove(_ path: ResourcePath, _ answer: JSONValue) -> JSONValue {
    let old = objects[path]
    _ = commit(.deleted, path, old, old ?? answer)
    objects[path] = nil
    return answer
  }

  private mutating func commit(
    _ kind: ServerChange.Kind, _ path: ResourcePath, _ old: JSONValue?, _ object: JSONValue
  ) -> JSONValue {
    var object = object
    revision += 1
    object["metadata"]["resourceVersion"] = .string("\(revision)")
    objects[path] = object
    history.append(ServerChange(kind: kind, path: path, revision: revision, old: old, object: object))
    return object
  }

  private func hasStatus(_ path: ResourcePath) -> Bool { path.plural != "configmaps" && path.plural != "leases" }

  private func isCustom(_ path: ResourcePath) -> Bool { path.root.contains(".") && !path.root.contains(".k8s.io/") }

  /// The finalizers of an object once it is to be deleted with `options`: what becomes of its dependents is said anew by
  /// each deletion that says it.
  private func finalizers(_ path: ResourcePath, _ old: JSONValue, _ options: JSONValue) -> [JSONValue] {
    let before = old["metadata"]["finalizers"].array ?? []
    let others = before.filter { $0.string != Self.foreground && $0.string != Self.orphan }
    switch options["propagationPolicy"].string {
    case "Foreground": return others + [.string(Self.foreground)]
    case "Orphan": return others + [.string(Self.orphan)]
    case nil where before.count > others.count: return before
    // Jobs have kept their pods by default ever since, unlike everything else.
    case nil where path.plural == "jobs": return others + [.string(Self.orphan)]
    default: return others
    }
  }

  /// Pods that a kubelet has are gone only when it says so; those without a node, or that have ended, at once.
  private func gracePeriod(_ pod: JSONValue, _ options: JSONValue) -> Int64 {
    let phase = pod["status"]["phase"].string
    let isBound = phase == "Running" || !pod["spec"]["nodeName"].isNull
    guard isBound, phase != "Succeeded", phase != "Failed" else { return 0 }
    return options["gracePeriodSeconds"].integer ?? pod["spec"]["terminationGracePeriodSeconds"].integer ?? 30
  }
}

extension JSONValue {
  var owners: [JSONValue] { self["metadata"]["ownerReferences"].array ?? [] }

  /// Without members that are null or empty, which the server does not store in metadata.
  fileprivate var withoutEmpty: JSONValue {
    .object((object ?? [:]).filter { !$0.value.isNull && $0.value != [] && $0.value != [:] })
  }

  func isOwned(by owner: JSONValue) -> Bool { owners.contains { $0["uid"] == owner["metadata"]["uid"] } }
}

/// `a=b,c`: equality and presence.
package struct LabelSelector: Sendable {
  private let parts: [(key: String, value: String?)]

  package init(_ text: String?) {
    parts = (text ?? "").split(separator: ",").map { part in
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      return (pair[0], pair.count > 1 ? pair[1] : nil)
    }
  }

  package func matches(_ object: JSONValue) -> Bool {
    let labels = object["metadata"]["labels"]
    return parts.allSatisfy { part in part.value.map { labels[part.key].string == $0 } ?? !labels[part.key].isNull }
  }
}

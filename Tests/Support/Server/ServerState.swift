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
    nextUID += 1
    return commit(.added, path, nil, object)
  }

  /// Changes an object by `body`, or only its status if `path` says so.
  package mutating func change(
    _ path: ResourcePath, _ body: (JSONValue) throws(Refusal) -> JSONValue
  ) throws(Refusal) -> JSONValue {
    let old = try object(path)
    let wanted = try body(old)
    let version = wanted["metadata"]["resourceVersion"]
    guard version.isNull || version == "" || version == old["metadata"]["resourceVersion"] else {
      throw .conflict(path)
    }
    let uid = wanted["metadata"]["uid"]
    guard uid.isNull || uid == old["metadata"]["uid"] else { throw .conflict(path) }
    var new = path.subresource == "status" ? old : wanted
    new["status"] = hasStatus(path) && path.subresource == nil ? old["status"] : wanted["status"]
    if new["status"].isNull { new.removeMember("status") }
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation"] {
      new["metadata"][field] = old["metadata"][field]
    }
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
    var new = old
    var finalizers = old["metadata"]["finalizers"].array ?? []
    // Jobs have kept their pods by default ever since, unlike everything else.
    switch options["propagationPolicy"].string ?? (path.plural == "jobs" ? "Orphan" : "Background") {
    case "Foreground": finalizers.append(.string(Self.foreground))
    case "Orphan" where hasDependents(old): finalizers.append(.string(Self.orphan))
    default: break
    }
    if !finalizers.isEmpty { new["metadata"]["finalizers"] = .array(finalizers.unique) }
    if new["metadata"]["deletionTimestamp"].isNull {
      new["metadata"]["deletionTimestamp"] = .string(now.description)
      new["metadata"]["generation"] = .integer((old["metadata"]["generation"].integer ?? 0) + 1)
    }
    let isAtOnce = options["gracePeriodSeconds"] == 0 || !stopsSlowly(path, old)
    if finalizers.isEmpty, isAtOnce { return remove(path.object, new) }
    // What is to go at once, but for finalizers, goes with the last of them.
    if path.plural == "pods", isAtOnce { new["metadata"]["deletionGracePeriodSeconds"] = 0 }
    return try store(path.object, old, new)
  }

  // MARK: Details

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
      let wasDeleted = !old["metadata"]["deletionTimestamp"].isNull
      guard !wasDeleted || finalizers.allSatisfy({ before.contains($0) || $0.string == Self.foreground }) else {
        throw Refusal.invalid("no finalizers can be added to an object that is being deleted")
      }
      let isWaitedFor = path.plural == "pods" && new["metadata"]["deletionGracePeriodSeconds"] != 0
      if finalizers.isEmpty, !isWaitedFor { return remove(path, new) }
    }
    return commit(.modified, path, old, new)
  }

  /// Watches are told of the object as it was stored last: without what the request that removes it changed.
  private mutating func remove(_ path: ResourcePath, _ last: JSONValue) -> JSONValue {
    let old = objects[path]
    let told = commit(.deleted, path, old, old ?? last)
    objects[path] = nil
    var answer = last
    answer["metadata"]["resourceVersion"] = told["metadata"]["resourceVersion"]
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

  private func hasDependents(_ owner: JSONValue) -> Bool { objects.values.contains { $0.isOwned(by: owner) } }

  /// Pods that a kubelet has are gone only when it says so; those without a node, or that have ended, at once.
  private func stopsSlowly(_ path: ResourcePath, _ object: JSONValue) -> Bool {
    guard path.plural == "pods" else { return false }
    let phase = object["status"]["phase"].string
    return phase == "Running" || (!object["spec"]["nodeName"].isNull && phase != "Succeeded" && phase != "Failed")
  }
}

extension JSONValue {
  var owners: [JSONValue] { self["metadata"]["ownerReferences"].array ?? [] }

  func isOwned(by owner: JSONValue) -> Bool { owners.contains { $0["uid"] == owner["metadata"]["uid"] } }
}

extension [JSONValue] {
  fileprivate var unique: [JSONValue] {
    reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
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

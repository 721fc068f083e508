// The verbs as the API server means them: what creating, changing and deleting do to an object beyond what the client
// sends. No transport, no watches, no clock: those are the server's.

import FoundationEssentials
import KubernetesModel

/// How a write is to be done.
struct WriteOptions: Sendable {
  var now: Timestamp
  /// Check and answer, but store nothing.
  var isDryRun = false
  /// Refuse fields that the schema does not know (`fieldValidation=Strict`) rather than pruning them.
  var isStrict = false
}

/// The objects of a server, and the rules about them.
struct ObjectVerbs {
  var database: ObjectDatabase
  let catalog: ResourceCatalog
  /// Makes UIDs.
  let uid: @Sendable () -> String
  /// Whether a namespace is made when something is created in it, as the admission plugin NamespaceAutoProvision does.
  let makesNamespaces: Bool
  /// What was changed and not told yet.
  var changes: [StoredChange] = []
  private let schemas: [String: StructuralSchema]

  static let foreground = "foregroundDeletion"
  static let orphan = "orphan"

  init(
    database: ObjectDatabase, catalog: ResourceCatalog, makesNamespaces: Bool, uid: @escaping @Sendable () -> String
  ) {
    self.database = database
    self.catalog = catalog
    self.makesNamespaces = makesNamespaces
    self.uid = uid
    schemas = Dictionary(
      catalog.definitions.compactMap { definition in
        definition.schema.map { (definition.storageName, StructuralSchema($0)) }
      }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: Reading

  /// The object as it is stored.
  func object(_ target: RequestTarget) throws(Refusal) -> JSONValue {
    guard let address = target.address, let object = try stored(address) else { throw .notFound(target) }
    return object
  }

  func stored(_ address: ObjectAddress) throws(Refusal) -> JSONValue? {
    try storage { () throws(SQLiteError) in try database.body(address) }.map { body throws(Refusal) in
      try Self.decoded(body)
    }
  }

  // MARK: Creating

  mutating func create(
    _ collection: RequestTarget, _ draft: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> JSONValue {
    var target = collection
    var object = draft
    guard object.object != nil else { throw .badRequest("the body is no object") }
    try checkType(object, target)
    if target.name == nil {
      target.name = object["metadata"]["name"].string.flatMap { $0.isEmpty ? nil : $0 }
    }
    if target.name == nil, let prefix = object["metadata"]["generateName"].string, !prefix.isEmpty {
      target.name = String(prefix.prefix(58)) + String(uid().replacing("-", with: "").suffix(5))
    }
    guard let name = target.name, let address = target.address else {
      throw .invalid(
        target,
        [
          Refusal.Cause(
            reason: "FieldValueRequired", field: "metadata.name",
            message: "Required value: name or generateName is required")
        ])
    }
    if let namespace = target.namespace {
      let wanted = object["metadata"]["namespace"].string ?? ""
      guard wanted.isEmpty || wanted == namespace else {
        throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
      }
      try enterNamespace(namespace, for: target, options)
    }
    guard (object["metadata"]["resourceVersion"].string ?? "").isEmpty else {
      throw .badRequest("resourceVersion should not be set on objects to be created")
    }
    guard try stored(address) == nil else { throw .alreadyExists(target) }

    for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"] {
      object["metadata"].removeMember(field)
    }
    object["metadata"]["name"] = .string(name)
    if let namespace = target.namespace { object["metadata"]["namespace"] = .string(namespace) }
    object["metadata"]["uid"] = .string(uid())
    object["metadata"]["creationTimestamp"] = .string(options.now.description)
    if target.definition.isCustom { object["metadata"]["generation"] = 1 }
    // Of types with a status of its own, it cannot come with the object.
    if target.definition.hasStatus { object.removeMember("status") }
    object = BuiltInDefaults.created(try admitted(object, target, options), of: target.definition)
    try check(object, after: nil, target)
    return try commit(address, object, isNew: true, options)
  }

  // MARK: Changing

  /// Changes an object by `body`, or only its status if the target says so.
  mutating func change(
    _ target: RequestTarget, _ options: WriteOptions, _ body: (JSONValue) throws(Refusal) -> JSONValue
  ) throws(Refusal) -> JSONValue {
    let old = try object(target)
    guard let address = target.address else { throw .notFound(target) }
    let wanted = try body(old)
    try checkType(wanted, target)
    try checkIdentity(wanted, old, target)
    var new: JSONValue
    if target.subresource == "status" {
      new = old
      new["status"] = wanted["status"]
    } else {
      new = wanted
      if target.definition.hasStatus { new["status"] = old["status"] }
    }
    if new["status"].isNull { new.removeMember("status") }
    keepSystemFields(&new, old)
    new = BuiltInDefaults.changed(try admitted(new, target, options), of: target.definition)
    try check(new, after: old, target)
    let immutable = BuiltInDefaults.causes(of: new, after: old, of: target.definition)
    guard immutable.isEmpty else { throw .invalid(target, immutable) }
    return try store(address, new, over: old, target, options)
  }

  /// Stores `new` in place of `old`, unless nothing changed; an object that only waited for its finalizers goes.
  mutating func store(
    _ address: ObjectAddress, _ wanted: JSONValue, over old: JSONValue, _ target: RequestTarget,
    _ options: WriteOptions
  ) throws(Refusal) -> JSONValue {
    var new = wanted
    new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
    guard new != old else { return old }
    if target.definition.isCustom, specification(new) != specification(old) {
      new["metadata"]["generation"] = .integer((old["metadata"]["generation"].integer ?? 0) + 1)
    }
    if new.isBeingDeleted {
      let before = old.finalizers
      let added = new.finalizers.filter { !before.contains($0) }
      guard !old.isBeingDeleted || added.isEmpty || added == [Self.foreground] else {
        throw .invalid(
          target,
          [
            Refusal.Cause(
              reason: "FieldValueForbidden", field: "metadata.finalizers",
              message: "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                + "\(added)")
          ])
      }
      if new.finalizers.isEmpty, !target.hasContents,
        (new["metadata"]["deletionGracePeriodSeconds"].integer ?? 0) == 0
      {
        return try remove(address, new, options)
      }
    }
    return try commit(address, new, isNew: false, options)
  }

  // MARK: Storing

  /// Removes an object; the answer is the object as it last was.
  mutating func remove(
    _ address: ObjectAddress, _ last: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> JSONValue {
    guard !options.isDryRun else { return last }
    var object = last
    object["metadata"]["resourceVersion"] = .string("\(database.nextRevision)")
    let body = try Self.encoded(object)
    changes.append(
      try storage { () throws(SQLiteError) in
        try database.remove(address, body: body, previous: database.body(address) ?? body)
      })
    return object
  }

  mutating func commit(
    _ address: ObjectAddress, _ wanted: JSONValue, isNew: Bool, _ options: WriteOptions
  ) throws(Refusal) -> JSONValue {
    guard !options.isDryRun else { return wanted }
    var object = wanted
    object["metadata"]["resourceVersion"] = .string("\(database.nextRevision)")
    let body = try Self.encoded(object)
    let owners = object.owners.compactMap { $0["uid"].string }
    changes.append(
      try storage { () throws(SQLiteError) in
        let before = isNew ? nil : try database.body(address)
        return try database.put(
          address, uid: object["metadata"]["uid"].string ?? "", owners: owners, body: body, previous: before)
      })
    return object
  }

  static func decoded(_ body: Data) throws(Refusal) -> JSONValue {
    do {
      return try JSON.decode(JSONValue.self, from: body)
    } catch {
      throw Refusal(500, "InternalError", "a stored object cannot be read: \(error)")
    }
  }

  static func encoded(_ object: JSONValue) throws(Refusal) -> Data {
    do {
      return try JSON.encode(object)
    } catch {
      throw .badRequest("the object cannot be stored: \(error)")
    }
  }

  func storage<Value>(_ body: () throws(SQLiteError) -> Value) throws(Refusal) -> Value {
    do { return try body() } catch { throw .storage(error) }
  }

  // MARK: Checking

  private func checkType(_ object: JSONValue, _ target: RequestTarget) throws(Refusal) {
    let type = target.definition.type
    for (field, expected) in [("apiVersion", type.apiVersion), ("kind", type.kind)] {
      guard let found = object[field].string, !found.isEmpty, found != expected else { continue }
      // Both forms of Events are the same objects.
      if target.definition.storageName == "events", field == "apiVersion" { continue }
      throw .badRequest("\(field) \"\(found)\" in the body is not \"\(expected)\", which the address is of")
    }
  }

  private func checkIdentity(_ wanted: JSONValue, _ old: JSONValue, _ target: RequestTarget) throws(Refusal) {
    let metadata = wanted["metadata"]
    if let name = metadata["name"].string, !name.isEmpty, name != target.name {
      throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(target.name ?? ""))")
    }
    if let uid = metadata["uid"].string, !uid.isEmpty, metadata["uid"] != old["metadata"]["uid"] {
      throw .conflict(
        target,
        "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old["metadata"]["uid"].string ?? "")")
    }
    if let version = metadata["resourceVersion"].string, !version.isEmpty,
      metadata["resourceVersion"] != old["metadata"]["resourceVersion"]
    {
      throw .conflict(target)
    }
  }

  private func keepSystemFields(_ new: inout JSONValue, _ old: JSONValue) {
    for field in [
      "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
    ] {
      let value = old["metadata"][field]
      if value.isNull { new["metadata"].removeMember(field) } else { new["metadata"][field] = value }
    }
    new["metadata"].removeMember("managedFields")
  }

  /// The object as the schema lets it be.
  private func admitted(
    _ draft: JSONValue, _ target: RequestTarget, _ options: WriteOptions
  ) throws(Refusal) -> JSONValue {
    var object = draft
    object["apiVersion"] = .string(
      target.definition.storedAs == nil
        ? target.definition.type.apiVersion : ResourceDefinition.coreEvents.type.apiVersion)
    object["kind"] = .string(target.definition.type.kind)
    object["metadata"] = MetadataRules.pruned(object["metadata"])
    for field in ["labels", "annotations", "finalizers", "ownerReferences", "generateName"]
    where object["metadata"][field].isNull || object["metadata"][field] == [:] || object["metadata"][field] == [] {
      object["metadata"].removeMember(field)
    }
    guard target.definition.isCustom, let schema = schemas[target.definition.storageName] else { return object }
    var unknown: [FieldPath] = []
    object = schema.defaulted(schema.withoutNulls(schema.pruned(object, &unknown)))
    if options.isStrict, !unknown.isEmpty {
      let fields = unknown.map { "unknown field \"\($0)\"" }.sorted().joined(separator: ", ")
      throw .badRequest("strict decoding error: \(fields)")
    }
    return object
  }

  private func check(_ object: JSONValue, after old: JSONValue?, _ target: RequestTarget) throws(Refusal) {
    var causes = MetadataRules.causes(object, of: target.definition)
    if let schema = schemas[target.definition.storageName] {
      let wrong = schema.causes(object)
      // Rules take for granted that every value is of its type.
      causes += wrong.isEmpty ? schema.brokenRules(object, after: old) : wrong
    }
    causes += BuiltInDefaults.causes(inDataOf: object, target.definition)
    causes += BuiltInDefaults.causes(inJob: object, target.definition)
    guard causes.isEmpty else { throw .invalid(target, causes) }
  }

  /// Everything whose change makes a new generation: all but metadata and status.
  private func specification(_ object: JSONValue) -> JSONValue {
    var specification = object
    specification.removeMember("metadata")
    specification.removeMember("status")
    return specification
  }

  private mutating func enterNamespace(
    _ name: String, for target: RequestTarget, _ options: WriteOptions
  ) throws(Refusal) {
    let namespace = RequestTarget(.namespaces, namespace: nil, name: name)
    guard let address = namespace.address else { return }
    guard let object = try stored(address) else {
      guard makesNamespaces else { throw .notFound(namespace) }
      _ = try create(
        RequestTarget(.namespaces, namespace: nil, name: nil), ["metadata": ["name": .string(name)]], options)
      return
    }
    guard object.isBeingDeleted else { return }
    var refusal = Refusal.forbidden(
      target, "unable to create new content in namespace \(name) because it is being terminated")
    refusal.causes = [
      Refusal.Cause(
        reason: "NamespaceTerminating", field: "metadata.namespace",
        message: "namespace \(name) is being terminated")
    ]
    throw refusal
  }
}

extension JSONValue {
  var isBeingDeleted: Bool { !self["metadata"]["deletionTimestamp"].isNull }

  var finalizers: [String] { (self["metadata"]["finalizers"].array ?? []).compactMap(\.string) }

  var owners: [JSONValue] { self["metadata"]["ownerReferences"].array ?? [] }
}

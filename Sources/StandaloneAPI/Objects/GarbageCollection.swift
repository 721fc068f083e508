// What the controller manager's garbage collector and namespace controller do: objects go after their owners, and with
// their namespaces. Each step looks at one object and does one thing about it, in a transaction of its own.
//
//     all owners gone            → deleted (background)
//     some owners gone           → only the references to those are dropped
//     foregroundDeletion         → dependents first, then the object
//     orphan                     → dependents lose their reference, then the object goes
//     namespace being deleted    → what is in it first, then the namespace

import KubernetesModel

extension ObjectVerbs {
  /// What might have something to be done about after `change`.
  func candidates(after change: StoredChange) throws(Refusal) -> [ObjectAddress] {
    let object = try Self.decoded(change.body)
    var found: [ObjectAddress] = []
    if change.kind == .deleted {
      found += try dependents(of: object)
      // A foreground deletion may have waited for this one, and so may a namespace.
      for owner in object.owners {
        if let address = try storage({ () throws(SQLiteError) in try database.address(uid: owner["uid"].string ?? "") })
        {
          found.append(address)
        }
      }
      if !change.address.namespace.isEmpty { found.append(namespace(of: change.address)) }
    } else if !object.owners.isEmpty || object.isBeingDeleted {
      found.append(change.address)
    }
    return found
  }

  /// Everything that might have something to be done about, for the time after a start.
  func candidates() throws(Refusal) -> [ObjectAddress] {
    var found = try storage { () throws(SQLiteError) in try database.owned() }
    for definition in catalog.definitions where definition.storedAs == nil {
      let bodies = try storage { () throws(SQLiteError) in try database.bodies(definition.storageName, namespace: nil) }
      for body in bodies {
        let object = try Self.decoded(body)
        guard object.isBeingDeleted, let target = target(of: object, definition) else { continue }
        found += [target.address].compactMap(\.self)
      }
    }
    return found
  }

  /// Does what is to be done about one object, once.
  /// - Returns: Whether there was anything; if so, there may be more.
  mutating func collect(_ address: ObjectAddress, _ options: WriteOptions) throws(Refusal) -> Bool {
    guard let definition = catalog.definition(storedAs: address.resource), let object = try stored(address) else {
      return false
    }
    let target = RequestTarget(
      definition, namespace: address.namespace.isEmpty ? nil : address.namespace, name: address.name)
    if object.isBeingDeleted {
      if target.hasContents { return try empty(target, object, options) }
      if object.finalizers.contains(Self.orphan) { return try orphanDependents(target, object, options) }
      if object.finalizers.contains(Self.foreground) { return try deleteDependents(target, object, options) }
      return false
    }
    return try dropAbsentOwners(target, object, options)
  }

  private mutating func dropAbsentOwners(
    _ target: RequestTarget, _ object: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> Bool {
    var present: [JSONValue] = []
    for owner in object.owners where try exists(owner, for: object) { present.append(owner) }
    guard present.count < object.owners.count else { return false }
    guard present.isEmpty else {
      try change(target, object, options) { $0["metadata"]["ownerReferences"] = .array(present) }
      return true
    }
    let uid = object["metadata"]["uid"]
    _ = try delete(target, ["propagationPolicy": "Background", "preconditions": ["uid": uid]], options)
    return true
  }

  private mutating func deleteDependents(
    _ target: RequestTarget, _ owner: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> Bool {
    var isBlocked = false
    for address in try dependents(of: owner) {
      guard let dependent = try stored(address), let definition = catalog.definition(storedAs: address.resource),
        let target = self.target(of: dependent, definition)
      else { continue }
      if !dependent.isBeingDeleted {
        _ = try delete(target, ["propagationPolicy": "Foreground"], options)
        return true
      }
      isBlocked =
        isBlocked
        || dependent.owners.contains {
          $0["uid"] == owner["metadata"]["uid"] && $0["blockOwnerDeletion"] == true
        }
    }
    guard !isBlocked else { return false }
    try change(target, owner, options) { $0.removeFinalizer(Self.foreground) }
    return true
  }

  private mutating func orphanDependents(
    _ target: RequestTarget, _ owner: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> Bool {
    for address in try dependents(of: owner) {
      guard let dependent = try stored(address), let definition = catalog.definition(storedAs: address.resource),
        let target = self.target(of: dependent, definition)
      else { continue }
      try change(target, dependent, options) { object in
        object["metadata"]["ownerReferences"] = .array(
          object.owners.filter { $0["uid"] != owner["metadata"]["uid"] })
      }
    }
    try change(target, owner, options) { $0.removeFinalizer(Self.orphan) }
    return true
  }

  private mutating func empty(
    _ target: RequestTarget, _ namespace: JSONValue, _ options: WriteOptions
  ) throws(Refusal) -> Bool {
    let contents = try storage { () throws(SQLiteError) in try database.contents(ofNamespace: target.name ?? "") }
    guard !contents.isEmpty else {
      guard let address = target.address else { return false }
      _ = try remove(address, namespace, options)
      return true
    }
    for address in contents {
      guard let object = try stored(address), !object.isBeingDeleted,
        let definition = catalog.definition(storedAs: address.resource),
        let target = self.target(of: object, definition)
      else { continue }
      _ = try delete(target, ["propagationPolicy": "Background"], options)
      return true
    }
    return false
  }

  /// Changes an object in the name of the system, without the checks that are for clients.
  private mutating func change(
    _ target: RequestTarget, _ old: JSONValue, _ options: WriteOptions, _ body: (inout JSONValue) -> Void
  ) throws(Refusal) {
    guard let address = target.address else { return }
    var new = old
    body(&new)
    for field in ["finalizers", "ownerReferences"] where new["metadata"][field] == [] {
      new["metadata"].removeMember(field)
    }
    _ = try store(address, new, over: old, target, options)
  }

  /// Whether an owner is there: that very object, where the reference may find it.
  private func exists(_ owner: JSONValue, for object: JSONValue) throws(Refusal) -> Bool {
    let uid = owner["uid"].string ?? ""
    guard let address = try storage({ () throws(SQLiteError) in try database.address(uid: uid) }) else { return false }
    return address.name == owner["name"].string
      && (address.namespace.isEmpty || address.namespace == object["metadata"]["namespace"].string)
  }

  private func dependents(of owner: JSONValue) throws(Refusal) -> [ObjectAddress] {
    guard let uid = owner["metadata"]["uid"].string else { return [] }
    return try storage { () throws(SQLiteError) in try database.dependents(ofUID: uid) }
  }

  private func namespace(of address: ObjectAddress) -> ObjectAddress {
    ObjectAddress(resource: ResourceDefinition.namespaces.storageName, namespace: "", name: address.namespace)
  }

  private func target(of object: JSONValue, _ definition: ResourceDefinition) -> RequestTarget? {
    guard let name = object["metadata"]["name"].string else { return nil }
    return RequestTarget(definition, namespace: object["metadata"]["namespace"].string, name: name)
  }
}

extension JSONValue {
  fileprivate mutating func removeFinalizer(_ name: String) {
    self["metadata"]["finalizers"] = .array(finalizers.filter { $0 != name }.map { .string($0) })
  }
}

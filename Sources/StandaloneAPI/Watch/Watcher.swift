// One watch: which changes it is told of, in which form, and how they get to whoever reads.

import FoundationEssentials
import KubernetesModel

/// An open watch.
struct Watcher: Sendable {
  /// A reader that does not read is let go when so many events wait for it; it goes on from the last version it saw.
  static let bufferLimit = 4096

  /// In which form objects are told of.
  enum Form: Sendable {
    case objects
    case metadata
    case table(ObjectTable, any TimeSource)
  }

  let definition: ResourceDefinition
  let namespace: String?
  let selector: ObjectSelector
  let sendsBookmarks: Bool
  /// When it ends, on the server's clock.
  let end: Duration
  let form: Form
  let continuation: AsyncThrowingStream<Data, any Error>.Continuation

  /// Tells of a change if it is one of those that are watched.
  /// - Returns: Whether the watch goes on.
  func tell(_ change: StoredChange) -> Bool {
    guard change.address.resource == definition.storageName,
      namespace == nil || namespace == change.address.namespace
    else { return true }
    guard !selector.isEverything else {
      return send(change.kind.rawValue, shaped(change.body))
    }
    guard let object = (try? ObjectVerbs.decoded(change.body)).map(definition.served) else { return true }
    let before = change.previous.flatMap { try? ObjectVerbs.decoded($0) }.map(definition.served)
    let wasSelected = before.map(selector.matches) ?? false
    let isSelected = change.kind != .deleted && selector.matches(object)
    // An object that a selector does not fit any more is gone for those who select.
    let kind: StoredChange.Kind? =
      switch (wasSelected, isSelected) {
      case (true, true): .modified
      case (false, true): .added
      case (true, false): .deleted
      case (false, false): nil
      }
    guard let kind else { return true }
    return send(kind.rawValue, shaped(change.body))
  }

  /// Tells of an object that was there before the watch.
  func tell(existing body: Data) -> Bool { send(StoredChange.Kind.added.rawValue, shaped(body)) }

  /// Tells that nothing before `revision` is missing.
  func bookmark(_ revision: Int64, isEndOfStart: Bool = false) -> Bool {
    var object: JSONValue = [
      "kind": .string(definition.type.kind), "apiVersion": .string(definition.type.apiVersion),
      "metadata": ["resourceVersion": .string("\(revision)"), "creationTimestamp": .null],
    ]
    if isEndOfStart { object["metadata"]["annotations"] = ["k8s.io/initial-events-end": "true"] }
    if case .table(let table, let time) = form {
      object = table.table(
        [], resourceVersion: "\(revision)", now: Timestamp(time.now))
    }
    return send("BOOKMARK", (try? JSON.encode(object)) ?? Data())
  }

  /// Ends the watch with a refusal.
  func fail(_ refusal: Refusal) {
    _ = send("ERROR", (try? JSON.encode(refusal.status)) ?? Data())
    continuation.finish()
  }

  /// A stored body as this watch tells of it.
  private func shaped(_ body: Data) -> Data {
    if case .objects = form, definition.storedAs == nil { return body }
    guard let object = (try? ObjectVerbs.decoded(body)).map(definition.served) else { return body }
    let shaped: JSONValue =
      switch form {
      case .objects: object
      case .metadata: ObjectTable.metadata(of: object)
      case .table(let table, let time):
        table.table(
          [object], resourceVersion: object["metadata"]["resourceVersion"].string ?? "", now: Timestamp(time.now))
      }
    return (try? ObjectVerbs.encoded(shaped)) ?? body
  }

  private func send(_ type: String, _ object: Data) -> Bool {
    let line = Data("{\"type\":\"\(type)\",\"object\":".utf8) + object + Data("}\n".utf8)
    if case .enqueued = continuation.yield(line) { return true }
    continuation.finish()
    return false
  }
}

extension ResourceDefinition {
  /// A stored object in the form of this definition.
  func served(_ stored: JSONValue) -> JSONValue { storedAs?.served(stored) ?? stored }

  /// An object in the form of this definition as it is stored.
  func stored(_ served: JSONValue) -> JSONValue { storedAs?.stored(served) ?? served }
}

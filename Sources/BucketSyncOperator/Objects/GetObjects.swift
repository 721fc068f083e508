// `get`: objects as tables, or as they are.

internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel

/// What is to be shown, and how.
struct GetObjects: Sendable {
  enum Output: String, CaseIterable, Sendable { case table, wide, json, yaml, name }

  let site: ObjectSite
  var output = Output.table
  var labels: String?
  var isEverywhere = false
  let print: @Sendable (String) -> Void
  let warn: @Sendable (String) -> Void

  /// Shows the objects of these kinds, or the ones called `names`.
  func show(_ kinds: [ObjectKind], names: [String]) async throws {
    var objects: [JSONValue] = []
    var isFirst = true
    for kind in kinds {
      switch output {
      case .table, .wide:
        let table = kind == .locks ? try await locks(names) : joined(try await tables(kind, names))
        if table.rows.isEmpty {
          if kinds.count == 1 { warn(nothing(kind)) }
          continue
        }
        if !isFirst { print("") }
        isFirst = false
        for line in table.lines() { print(line) }
      case .json, .yaml, .name:
        objects += try await self.objects(kind, names)
      }
    }
    if isFirst, kinds.count > 1, output == .table || output == .wide { warn(nothing(nil)) }
    try show(objects, isSingle: names.count == 1 && kinds.count == 1)
  }

  /// Shows the objects, and every change of them until the task is cancelled.
  func watch(_ kind: ObjectKind, name: String?) async throws {
    var table = try await self.table(kind, name)
    var widths: [Int] = []
    var isFirst = true
    while true {
      let text = table.text(isWide: output == .wide, withNamespace: isEverywhere)
      if !text.rows.isEmpty {
        widths = text.widths(atLeast: widths)
        for line in text.lines(withHeader: isFirst, widths: widths) { print(line) }
        isFirst = false
      }
      table = try await follow(table, kind, name, isFirst: &isFirst, widths: &widths)
    }
  }

  /// Prints changes until the server ends the watch.
  /// - Returns: What to go on from: an empty table, or the whole anew when the server does not know the version any more.
  private func follow(
    _ start: ServerTable, _ kind: ObjectKind, _ name: String?, isFirst: inout Bool, widths: inout [Int]
  ) async throws -> ServerTable {
    var last = start
    var version = start.resourceVersion
    do {
      let events = try await site.client.watchTable(
        kind.type, namespace: namespace(of: kind), name: name, labels: selector(kind), from: version)
      for try await event in events {
        guard event["type"].string != "ERROR" else { return try await table(kind, name) }
        last = ServerTable(event["object"], type: kind.type, after: last)
        version = last.rows.first?["object"]["metadata"]["resourceVersion"].string ?? version
        guard event["type"].string != "BOOKMARK" else { continue }
        let text = last.text(isWide: output == .wide, withNamespace: isEverywhere)
        widths = text.widths(atLeast: widths)
        for line in text.lines(withHeader: isFirst, widths: widths) { print(line) }
        isFirst = false
      }
    } catch let error as APIError {
      guard error.isPassing, error != .cancelled else { throw site.explained(error) }
      try await site.time.sleep(for: .seconds(1))
      return try await table(kind, name)
    }
    try Task.checkCancellation()
    // Ended in good order: go on from the last version, with nothing to print.
    return ServerTable(
      ["kind": "Table", "metadata": ["resourceVersion": .string(version)]], type: kind.type, after: last)
  }

  // MARK: Reading

  private func tables(_ kind: ObjectKind, _ names: [String]) async throws -> [ServerTable] {
    guard !names.isEmpty else { return [try await table(kind, nil)] }
    var tables: [ServerTable] = []
    for name in names { tables.append(try await table(kind, name)) }
    return tables
  }

  private func table(_ kind: ObjectKind, _ name: String?) async throws -> ServerTable {
    do {
      return ServerTable(
        try await site.client.table(kind.type, namespace: namespace(of: kind), name: name, labels: selector(kind)),
        type: kind.type)
    } catch {
      guard error.isNotFound, let name else { throw site.explained(error) }
      throw await site.missing(kind, name)
    }
  }

  private func objects(_ kind: ObjectKind, _ names: [String]) async throws -> [JSONValue] {
    guard !names.isEmpty else {
      return try await site.explaining {
        try await site.client.list(kind.type, namespace: namespace(of: kind), labels: selector(kind)).items
      }
    }
    var objects: [JSONValue] = []
    for name in names {
      do {
        objects.append(
          try await site.client.get(kind.type, ObjectKey(namespace: namespace(of: kind) ?? site.namespace, name: name)))
      } catch {
        guard error.isNotFound else { throw site.explained(error) }
        throw await site.missing(kind, name)
      }
    }
    return objects
  }

  /// Locks are where the operator keeps them, not where its users are.
  private func namespace(of kind: ObjectKind) -> String? {
    isEverywhere || (kind == .locks && !site.isNamespaceGiven) ? nil : site.namespace
  }

  private func selector(_ kind: ObjectKind) -> String? {
    let parts = [kind.selector, labels].compactMap { $0 }.filter { !$0.isEmpty }
    return parts.isEmpty ? nil : parts.joined(separator: ",")
  }

  // MARK: Showing

  private func joined(_ tables: [ServerTable]) -> TextTable {
    var all = tables.map { $0.text(isWide: output == .wide, withNamespace: isEverywhere) }
    guard var first = all.first else { return TextTable(header: []) }
    all.removeFirst()
    first.rows += all.flatMap(\.rows)
    return first
  }

  /// What a ConfigMap's own columns say nothing of.
  private func locks(_ names: [String]) async throws -> TextTable {
    let all = try await site.explaining {
      try await site.client.list(
        ConfigMap.self, namespace: namespace(of: .locks), labels: selector(.locks)
      ).items.map { BucketLocks.Lock($0) }
    }
    let now = Timestamp(site.time.now)
    var table = TextTable(header: ["NAMESPACE", "NAME", "BUCKET", "SIDE", "HOLDER", "AGE"])
    for lock in all where names.isEmpty || names.contains(lock.name) || names.contains(lock.bucket) {
      table.rows.append([
        lock.namespace, lock.name, lock.bucket, lock.side, lock.holder, Age.text(since: lock.since, now: now),
      ])
    }
    for name in names where !all.contains(where: { $0.name == name || $0.bucket == name }) {
      throw CommandFailure("there is no lock of a bucket \"\(name)\": nobody holds it")
    }
    return table
  }

  private func show(_ objects: [JSONValue], isSingle: Bool) throws {
    switch output {
    case .table, .wide: return
    case .name:
      for object in objects {
        let group = (object["apiVersion"].string ?? "").split(separator: "/").dropLast().first.map { ".\($0)" } ?? ""
        print("\((object["kind"].string ?? "").lowercased())\(group)/\(object["metadata"]["name"].string ?? "")")
      }
    case .json, .yaml:
      let shown = objects.map(Self.trimmed)
      let document: JSONValue
      if isSingle, let only = shown.first {
        document = only
      } else {
        document = ["apiVersion": "v1", "kind": "List", "metadata": ["resourceVersion": ""], "items": .array(shown)]
      }
      print(
        output == .json
          ? String(decoding: try JSON.encode(document, pretty: true), as: UTF8.self)
          : String(YAML.text(of: document).dropLast()))
    }
  }

  /// Without `managedFields`, as kubectl shows objects.
  private static func trimmed(_ object: JSONValue) -> JSONValue {
    var object = object
    if object["metadata"]["managedFields"] != .null { object["metadata"].removeMember("managedFields") }
    return object
  }

  private func nothing(_ kind: ObjectKind?) -> String {
    let what = kind.map { "No \($0.rawValue) found" } ?? "No policies and no runs found"
    let isAll = isEverywhere || (kind == .locks && !site.isNamespaceGiven)
    return isAll ? what + "." : "\(what) in namespace \(site.namespace)."
  }
}

// Text for people about one object: names and values in two columns, sections indented, as `kubectl describe` has it.

internal import BucketSyncAPI
internal import KubernetesModel

struct Description: Sendable {
  private(set) var lines: [String] = []
  private var pending: [(indent: Int, name: String, value: String)] = []

  /// One value. Empty ones are left out.
  mutating func add(_ name: String, _ value: String?, indent: Int = 0) {
    guard let value, !value.isEmpty else { return }
    pending.append((indent, name, value))
  }

  /// A heading, under which values are indented.
  mutating func section(_ title: String) {
    flush()
    lines.append("\(title):")
  }

  mutating func table(_ table: TextTable, indent: Int = 2) {
    flush()
    lines += table.lines().map { String(repeating: " ", count: indent) + $0 }
  }

  mutating func text(_ text: String, indent: Int = 2) {
    flush()
    lines.append(String(repeating: " ", count: indent) + text)
  }

  /// All lines.
  var finished: [String] {
    var copy = self
    copy.flush()
    return copy.lines
  }

  /// Values that follow each other are in line.
  private mutating func flush() {
    let width = (pending.map { $0.indent + $0.name.count + 1 }.max() ?? 0) + 2
    for (indent, name, value) in pending {
      let start = String(repeating: " ", count: indent) + name + ":"
      let parts = value.split(separator: "\n", omittingEmptySubsequences: false)
      for (index, part) in parts.enumerated() {
        let lead = index == 0 ? start : ""
        lines.append(lead + String(repeating: " ", count: max(1, width - lead.count)) + part)
      }
    }
    pending = []
  }
}

extension Description {
  /// Names, labels, and what made the object.
  mutating func addMetadata(_ metadata: ObjectMeta, now: Timestamp) {
    add("Name", metadata.name)
    add("Namespace", metadata.namespace)
    add(
      "Labels",
      (metadata.labels ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n"))
    let hidden = ["kubectl.kubernetes.io/last-applied-configuration", Self.manifest]
    let annotations = (metadata.annotations ?? [:]).filter { !hidden.contains($0.key) }.sorted { $0.key < $1.key }
    add("Annotations", annotations.map { "\($0.key)=\($0.value)" }.joined(separator: "\n"))
    add("Manifest", metadata.annotations?[Self.manifest])
    add("Created", Self.time(metadata.creationTimestamp, now: now))
    add("Being deleted since", Self.time(metadata.deletionTimestamp, now: now))
  }

  /// Tells the file that an object of a standalone operator comes from.
  static let manifest = "\(BucketSyncNames.group)/manifest"

  /// `2024-01-15T02:00:00Z (5m ago)`.
  static func time(_ time: Timestamp?, now: Timestamp) -> String? {
    guard let time else { return nil }
    guard time > now else { return "\(time) (\(Age.text(since: time, now: now)) ago)" }
    return "\(time) (in \(Age.text(since: now, now: time)))"
  }

  /// A remote's place and configuration; values that may be secret are not shown.
  mutating func addSide(_ title: String, _ place: String, _ variables: [EnvVar]?) {
    add(title, place)
    for variable in variables ?? [] { add(variable.name, RemoteVariable.text(variable), indent: 2) }
  }

  mutating func addConditions(_ conditions: [Condition]?, now: Timestamp) {
    guard let conditions, !conditions.isEmpty else { return }
    section("Conditions")
    var table = TextTable(header: ["TYPE", "STATUS", "SINCE", "REASON", "MESSAGE"])
    table.rows = conditions.map {
      [$0.type, $0.status.rawValue, Age.text(since: $0.lastTransitionTime, now: now), $0.reason, $0.message]
    }
    self.table(table)
  }
}

/// How a variable of a remote is shown.
enum RemoteVariable {
  /// What is no secret for sure; everything else is only said to be set.
  private static let plain: Set<String> = [
    "TYPE", "PROVIDER", "REGION", "ENDPOINT", "LOCATION_CONSTRAINT", "STORAGE_CLASS", "ACL", "ENV_AUTH",
    "FORCE_PATH_STYLE", "HOST", "PORT", "SERVER_SIDE_ENCRYPTION", "BUCKET_POLICY_ONLY", "CHUNK_SIZE", "REMOTE",
  ]

  static func text(_ variable: EnvVar) -> String {
    if let value = variable.value {
      // An address may hold a password.
      guard plain.contains(variable.name), !value.contains("@") else { return "set (not shown)" }
      return value.isEmpty ? "\"\"" : value
    }
    for (field, what) in [("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")] {
      let reference = variable.valueFrom?[field] ?? .null
      if let name = reference["name"].string { return "from \(what) \(name), key \(reference["key"].string ?? "")" }
    }
    return variable.valueFrom == nil ? "\"\"" : "from elsewhere"
  }
}

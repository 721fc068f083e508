// Which UID and which resource version of the real server stands for which of the model.

import KubernetesModel

/// What the two servers call the same thing.
struct Correspondence {
  /// Real UIDs by the model's.
  private var uids: [String: String] = [:]
  /// Real versions by the model's.
  private var versions: [String: String] = [:]
  private var knownUIDs: Set<String> = []
  private var knownVersions: Set<String> = []

  /// A document of the model in the terms of the real server.
  func real(_ document: JSONValue) -> JSONValue {
    switch document {
    case .string(let text): .string(real(text))
    case .array(let elements): .array(elements.map(real))
    case .object(let members):
      .object(
        members.reduce(into: [:]) { result, member in
          result[real(member.key)] =
            member.key == "resourceVersion" ? realVersion(member.value) : real(member.value)
        })
    default: document
    }
  }

  /// The same of a text: UIDs of the model are `uid-7`, wherever they stand.
  func real(_ text: String) -> String {
    guard text.contains("uid-") else { return text }
    return text.replacing(/uid-[0-9]+/) { uids[String($0.output)] ?? String($0.output) }
  }

  /// A version that nobody has seen yet is one that no object has any more.
  private func realVersion(_ version: JSONValue) -> JSONValue {
    guard let text = version.string, !text.isEmpty else { return version }
    return .string(versions[text] ?? "1")
  }

  /// Learns that the two objects are the same.
  /// - Returns: What speaks against it.
  mutating func learn(_ model: JSONValue, _ real: JSONValue) -> [Difference] {
    let (model, real) = (model["metadata"], real["metadata"])
    var differences: [Difference] = []
    if let uid = model["uid"].string, let other = real["uid"].string, uids[uid] != other {
      if uids[uid] != nil || knownUIDs.contains(other) {
        differences.append(Difference("metadata.uid", uids[uid].map { "still \($0)" } ?? "another object", other))
      }
      uids[uid] = other
      knownUIDs.insert(other)
    }
    if let version = model["resourceVersion"].string, let other = real["resourceVersion"].string,
      versions[version] != other
    {
      if let known = versions[version] {
        differences.append(Difference("metadata.resourceVersion", "unchanged (\(known))", "changed (\(other))"))
      } else if knownVersions.contains(other) {
        differences.append(Difference("metadata.resourceVersion", "changed", "unchanged (\(other))"))
      }
      versions[version] = other
      knownVersions.insert(other)
    }
    return differences
  }
}

/// Something in which the two servers differ.
struct Difference {
  /// `metadata.labels`
  var field: String
  var model: String
  var real: String

  init(_ field: String, _ model: String, _ real: String) {
    self.field = field
    self.model = model
    self.real = real
  }
}

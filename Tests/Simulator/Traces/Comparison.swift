// In what two objects, that of the model and that of the real server, are compared.
//
// Metadata, ConfigMaps and our own kinds must be the same in everything. Of built-in kinds, which the real server fills
// with defaults, everything must be there that the model has; what is empty counts as absent there, as the server writes
// such fields or does not by their types.

import BucketSyncAPI
import KubernetesModel
import TestSupport

enum Comparison {
  /// Differences that are left as they are: the fields, and why.
  static let deliberate: [(fields: [String], applies: @Sendable (ResourcePath) -> Bool, reason: String)] = [
    (
      ["metadata.generation"], { !isOurs($0) },
      "built-in kinds count their generations in some releases and not in others, and nobody here reads them"
    ),
    (
      ["metadata.creationTimestamp", "metadata.deletionTimestamp", "metadata.managedFields", "metadata.selfLink"],
      { _ in true }, "the clock of the real server is another one; whether an object is being deleted is compared"
    ),
    (
      ["metadata.deletionGracePeriodSeconds"], { _ in true },
      "the model knows only whether a pod is given time, which shows in when it goes"
    ),
  ]

  /// The differences between an object of the model, in the terms of the real server, and the real one.
  static func differences(_ path: ResourcePath, _ model: JSONValue, _ real: JSONValue) -> [Difference] {
    var differences: [Difference] = []
    func compare(_ field: String, _ model: JSONValue, _ real: JSONValue, isWhole: Bool) {
      let isSame = isWhole ? model.orNull == real.orNull : model.pruned.isWithin(real.pruned)
      if !isSame { differences.append(Difference(field, model.text, real.text)) }
    }
    let metadata = model["metadata"]
    compare(
      "deletionTimestamp is there", .bool(!metadata["deletionTimestamp"].isNull),
      .bool(!real["metadata"]["deletionTimestamp"].isNull), isWhole: true)
    let left = Set(deliberate.filter { $0.applies(path) }.flatMap(\.fields))
    for field in members(metadata, real["metadata"])
    where !left.contains("metadata.\(field)") && field != "resourceVersion" {
      compare("metadata.\(field)", metadata[field], real["metadata"][field], isWhole: true)
    }
    let isWhole = isOurs(path) || path.plural == "configmaps"
    // The items of lists do not say what they are.
    for field in members(model, real) where !["metadata", "kind", "apiVersion"].contains(field) {
      compare(field, model[field], real[field], isWhole: isWhole)
    }
    return differences
  }

  static func isOurs(_ path: ResourcePath) -> Bool { path.root.contains(BucketSyncNames.group) }

  private static func members(_ left: JSONValue, _ right: JSONValue) -> [String] {
    Set((left.object ?? [:]).keys).union((right.object ?? [:]).keys).sorted()
  }
}

extension JSONValue {
  /// An empty list or map is as none.
  fileprivate var orNull: JSONValue { self == [] || self == [:] ? .null : self }

  /// Without what is null or empty.
  fileprivate var pruned: JSONValue {
    switch self {
    case .string(""): return .null
    case .array(let elements): return elements.isEmpty ? .null : .array(elements.map(\.pruned))
    case .object(let members):
      let left = members.mapValues(\.pruned).filter { !$0.value.isNull }
      return left.isEmpty ? .null : .object(left)
    default: return self
    }
  }

  /// Whether everything of this document is in the other one.
  fileprivate func isWithin(_ other: JSONValue) -> Bool {
    switch (self, other) {
    case (.null, _): true
    case (.array(let own), .array(let others)):
      own.count == others.count && zip(own, others).allSatisfy { $0.isWithin($1) }
    case (.object(let own), .object(let others)):
      own.allSatisfy { member in others[member.key].map { member.value.isWithin($0) } ?? false }
    default: self == other
    }
  }

  var text: String { (try? JSON.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "\(self)" }
}

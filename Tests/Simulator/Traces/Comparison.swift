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
      ["metadata.creationTimestamp", "metadata.deletionTimestamp", "metadata.managedFields"], { _ in true },
      "the clock of the real server is another one; whether an object is being deleted is compared"
    ),
    (["metadata.resourceVersion"], { _ in true }, "whether it changes is compared, by Correspondence"),
    (
      ["metadata.annotations.seccomp.security.alpha.kubernetes.io/pod"], { $0.plural == "pods" },
      "this release repeats the field in an annotation, later ones do not"
    ),
    (
      ["spec.podReplacementPolicy"], { $0.plural == "jobs" },
      "Kubernetes has it from 1.28 on, and drops it before; the model has clusters of both kinds"
    ),
    (
      ["metadata.labels.controller-uid", "metadata.labels.job-name"], { $0.plural == "jobs" },
      "the server labels Jobs that have no labels; all of ours have some"
    ),
  ]

  /// The differences between an object of the model, in the terms of the real server, and the real one.
  static func differences(_ path: ResourcePath, _ model: JSONValue, _ real: JSONValue) -> [Difference] {
    var walk = Walk(left: Set(deliberate.filter { $0.applies(path) }.flatMap(\.fields)))
    walk.compare(
      "whether it is being deleted", .bool(!model["metadata"]["deletionTimestamp"].isNull),
      .bool(!real["metadata"]["deletionTimestamp"].isNull), isWhole: true)
    walk.members("metadata", model["metadata"].withoutEmpty, real["metadata"].withoutEmpty, isWhole: true)
    for field in Set((model.object ?? [:]).keys).union((real.object ?? [:]).keys).sorted() {
      // The items of lists do not say what they are.
      guard !["metadata", "kind", "apiVersion"].contains(field) else { continue }
      if isOurs(path) || path.plural == "configmaps" {
        walk.compare(field, model[field], real[field], isWhole: true)
      } else {
        walk.compare(field, model[field].pruned, real[field].pruned, isWhole: false)
      }
    }
    return walk.found
  }

  static func isOurs(_ path: ResourcePath) -> Bool { path.root.contains(BucketSyncNames.group) }
}

/// Walks through two documents side by side.
private struct Walk {
  /// Fields that are not compared.
  let left: Set<String>
  var found: [Difference] = []

  init(left: Set<String>) { self.left = left }

  mutating func compare(_ field: String, _ model: JSONValue, _ real: JSONValue, isWhole: Bool) {
    guard !left.contains(field) else { return }
    switch (model, real) {
    case (.object, .object): members(field, model, real, isWhole: isWhole)
    // None is as good as an empty one.
    case (.object, .null) where isWhole, (.null, .object) where isWhole: members(field, model, real, isWhole: isWhole)
    case (.array(let own), .array(let others)) where own.count == others.count:
      for (index, pair) in zip(own, others).enumerated() {
        compare("\(field)[\(index)]", pair.0, pair.1, isWhole: isWhole)
      }
    case (.null, _) where !isWhole: break
    default: if model != real { found.append(Difference(field, model.text, real.text)) }
    }
  }

  mutating func members(_ field: String, _ model: JSONValue, _ real: JSONValue, isWhole: Bool) {
    var names = Set((model.object ?? [:]).keys)
    if isWhole { names.formUnion((real.object ?? [:]).keys) }
    for name in names.sorted() { compare("\(field).\(name)", model[name], real[name], isWhole: isWhole) }
  }
}

extension JSONValue {
  /// Without members that are null or empty: none is as good.
  fileprivate var withoutEmpty: JSONValue {
    .object((object ?? [:]).filter { !$0.value.isNull && $0.value != [] && $0.value != [:] })
  }

  /// Without anything that is null or empty.
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

  var text: String { (try? JSON.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "\(self)" }
}

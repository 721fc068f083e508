// Draws whole objects that the API server admits: spec and status from the schema, metadata by its rules, with our own
// labels and annotations in it, filled with rubbish.

import BucketSyncAPI
import KubernetesModel
import TestSupport

/// Draws policies and runs.
struct ObjectGenerator {
  private var sampler: SchemaSampler
  private let policies: Definition
  private let runs: Definition

  init(seed: UInt64, policies: Definition, runs: Definition) {
    sampler = SchemaSampler(chance: SeededChance(seed: seed))
    self.policies = policies
    self.runs = runs
  }

  /// Draws from the same source.
  mutating func happens(_ percent: Int) -> Bool { sampler.chance.happens(percent) }
  mutating func below(_ bound: Int) -> Int { sampler.chance.below(bound) }

  mutating func policy(_ number: Int) throws -> JSONValue { try object(policies, "policy-\(number)") }
  mutating func run(_ number: Int) throws -> JSONValue { try object(runs, "run-\(number)") }

  private mutating func object(_ definition: Definition, _ name: String) throws -> JSONValue {
    for _ in 0..<200 {
      sampler.fill = sampler.chance.one(of: [10, 60, 95])
      var object = sampler.value(of: definition.json, at: "")
      if object["status"].isNull { object.removeMember("status") }
      object.removeMember("apiVersion")
      object.removeMember("kind")
      if sampler.chance.happens(60) { object["spec"] = sane(object["spec"]) }
      if sampler.chance.happens(20) { object.removeMember("status") }
      object["metadata"] = metadata(name)
      let stored = definition.stored(object)
      if definition.refusal(of: stored) == nil { return stored }
    }
    throw Trouble("no \(name) was drawn that the schema admits")
  }

  /// `spec` with what would otherwise stop it at the door.
  private mutating func sane(_ spec: JSONValue) -> JSONValue {
    var spec = spec
    let buckets = ["a", "b", "c", "d/e"]
    let source = sampler.chance.below(buckets.count)
    spec["source"] = .string(buckets[source])
    spec["destination"] = .string(buckets[(source + 1 + sampler.chance.below(3)) % buckets.count])
    if !spec["schedule"].isNull { spec["schedule"] = "0 2 * * *" }
    if !spec["timeout"].isNull { spec["timeout"] = "5m" }
    for field in ["sourceEnv", "destinationEnv", "jobLabels", "parameters"] where sampler.chance.happens(80) {
      spec.removeMember(field)
    }
    return spec
  }

  private mutating func metadata(_ name: String) -> JSONValue {
    var metadata: JSONValue = ["name": .string(longer(name)), "namespace": "default"]
    var annotations: [String: JSONValue] = [:]
    for key in [
      BucketSyncNames.Annotation.syncNow, BucketSyncNames.Annotation.syncNowRun, BucketSyncNames.Annotation.scheduledAt,
      "example.com/other",
    ] where sampler.chance.happens(25) {
      let pool = sampler.chance.one(of: [
        OddValues.texts, OddValues.times, ["run-0", "run-1", "policy-0-manual-1705283990", "run-0=x"],
        OddValues.texts, OddValues.times, OddValues.texts, OddValues.hugeTexts, OddValues.hugeAnnotations,
      ])
      annotations[key] = .string(sampler.chance.one(of: pool))
    }
    if !annotations.isEmpty { metadata["annotations"] = .object(annotations) }
    var labels: [String: JSONValue] = [:]
    for key in [
      BucketSyncNames.Label.policy, BucketSyncNames.Label.trigger, BucketSyncNames.Label.runUID,
      BucketSyncNames.Label.run, BucketSyncNames.Label.managedBy, "app",
    ] where sampler.chance.happens(20) {
      labels[key] = .string(sampler.chance.one(of: ["", "x", "uid-1", "policy-0", "manual", "A.b_c", "bucket-sync"]))
    }
    if !labels.isEmpty { metadata["labels"] = .object(labels) }
    if sampler.chance.happens(30) { metadata["ownerReferences"] = owners() }
    let finalizers = [
      [], [BucketSyncNames.finalizer], ["example.com/other"], [BucketSyncNames.finalizer, "example.com/other"],
      ["foregroundDeletion"],
    ]
    let chosen = sampler.chance.one(of: finalizers)
    if !chosen.isEmpty { metadata["finalizers"] = .array(chosen.map { .string($0) }) }
    return metadata
  }

  /// The longest name now and then.
  private mutating func longer(_ name: String) -> String {
    switch sampler.chance.below(12) {
    case 0: name + String(repeating: "x", count: 253 - name.utf8.count)
    case 1: name + "." + String(repeating: "y", count: 63 - name.utf8.count - 1)
    case 2: name + String(repeating: ".z", count: 60)
    default: name
    }
  }

  private mutating func owners() -> JSONValue {
    let controller = sampler.chance.below(4)
    return .array(
      (0...sampler.chance.below(3)).map { index in
        var owner: JSONValue = [
          "apiVersion": .string(sampler.chance.one(of: ["v1", "x", "\(BucketSyncNames.group)/v1", "apps/v1"])),
          "kind": .string(sampler.chance.one(of: ["BucketSyncPolicy", "BucketSync", "Pod", "🪣"])),
          "name": .string(sampler.chance.one(of: ["policy-0", "policy-1", "run-0", "..", "a/b", "Ü"])),
          // The collector takes away what belongs to nobody.
          "uid": "uid-1",
        ]
        if index == controller { owner["controller"] = true }
        if sampler.chance.happens(20) { owner["blockOwnerDeletion"] = true }
        return owner
      })
  }
}

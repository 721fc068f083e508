// Draws values that a schema admits. What it draws is checked against the schema, so that the sampler may be careless:
// a value that is refused is drawn again.

import KubernetesModel
import TestSupport

@testable import StandaloneAPI

/// Draws values of a schema.
struct SchemaSampler {
  var chance: SeededChance
  /// How many of a hundred optional fields are there.
  var fill = 60

  /// A value that `schema` admits, which is found at `path` (`spec.source`).
  mutating func value(of schema: JSONValue, at path: String) -> JSONValue {
    if schema["nullable"] == true, chance.happens(5) { return .null }
    if let allowed = schema["enum"].array, !allowed.isEmpty { return chance.one(of: allowed) }
    switch schema["type"].string {
    case "object": return object(of: schema, at: path)
    case "array": return array(of: schema, at: path)
    case "string": return text(of: schema, at: path)
    case "integer": return integer(of: schema)
    case "number": return .number(Double(chance.one(of: OddValues.integers)))
    case "boolean": return .bool(chance.happens(50))
    default:
      if schema["x-kubernetes-int-or-string"] == true {
        return chance.happens(50) ? .integer(chance.one(of: OddValues.integers)) : text(of: schema, at: path)
      }
      return anything(depth: chance.below(40))
    }
  }

  private mutating func object(of schema: JSONValue, at path: String) -> JSONValue {
    let required = Set((schema["required"].array ?? []).compactMap(\.string))
    var members: [String: JSONValue] = [:]
    let properties = (schema["properties"].object ?? [:]).sorted { $0.key < $1.key }
    for (name, property) in properties where required.contains(name) || chance.happens(fill) {
      members[name] = value(of: property, at: "\(path).\(name)")
    }
    if schema["maxProperties"] == 1, let only = members.keys.sorted().randomElement(using: &chance) {
      members = [only: members[only] ?? .null]
    }
    if schema["minProperties"] == 1, members.isEmpty, let (name, property) = properties.randomElement(using: &chance) {
      members[name] = value(of: property, at: "\(path).\(name)")
    }
    let additional = schema["additionalProperties"]
    if additional.object != nil {
      for _ in 0..<chance.below(5) { members[chance.one(of: OddValues.texts)] = value(of: additional, at: "\(path).*") }
      // As many as may be.
      if chance.happens(2) {
        for index in 0..<64 { members["key-\(index)"] = value(of: additional, at: "\(path).*") }
      }
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == true { members["unknown"] = anything(depth: chance.below(40)) }
    return .object(members)
  }

  private mutating func array(of schema: JSONValue, at path: String) -> JSONValue {
    let limit = Int(schema["maxItems"].integer ?? 200)
    let count = chance.happens(2) ? limit : chance.below(5)
    var elements = (0..<count).map { _ in value(of: schema["items"], at: "\(path)[]") }
    if let key = schema["x-kubernetes-list-map-keys"][0].string {
      var seen: Set<JSONValue> = []
      elements = elements.filter { seen.insert($0[key]).inserted }
    }
    return .array(elements)
  }

  private mutating func text(of schema: JSONValue, at path: String) -> JSONValue {
    let rules = SchemaRules(schema)
    let field = String(path.split(separator: ".").last ?? "")
    let candidates = candidates(field, schema)
    for _ in 0..<40 {
      let choice = JSONValue.string(chance.one(of: candidates))
      if rules.causes(choice, at: .root).isEmpty { return choice }
    }
    let usable = candidates.first { rules.causes(.string($0), at: .root).isEmpty }
    return .string(usable ?? "")
  }

  private mutating func candidates(_ field: String, _ schema: JSONValue) -> [String] {
    if schema["format"] == "date-time" { return OddValues.times }
    // Now and then what would be sensible elsewhere.
    if chance.happens(10) { return OddValues.texts }
    switch field {
    case "source", "destination": return OddValues.paths
    case "schedule": return OddValues.schedules
    case "timeout": return OddValues.timeouts
    case "duration": return OddValues.durations
    case "phase": return ["Initialize", "Sync", "Finalize", "Finished", "Pending", "", "finished", "Sync "]
    case "result": return ["Succeeded", "Failed", "Skipped", "Cancelled", "", "Maybe"]
    case "job", "lastManualRun": return ["nightly", "a-job", "", ".", "..", "a/b", "A_B", "policy-0", "run-0"]
    case "type": return ["Ready", "LocksAcquired", "JobRunning", "Complete", "Failed", "example.com/Odd", "x"]
    case "reason":
      return [
        "Scheduled", "HeldBack", "Blocked", "Acquired", "WaitingForBucket", "Released", "X", "A:B,C_9",
        String(repeating: "R", count: 1024),
      ]
    case "nextSyncTime": return OddValues.times + OddValues.texts
    default: return chance.happens(3) ? OddValues.hugeTexts : OddValues.texts
    }
  }

  private mutating func integer(of schema: JSONValue) -> JSONValue {
    let rules = SchemaRules(schema)
    for _ in 0..<40 {
      let choice = JSONValue.integer(chance.one(of: OddValues.integers))
      if rules.causes(choice, at: .root).isEmpty { return choice }
    }
    return 1
  }

  /// Any JSON, so deeply nested at most.
  mutating func anything(depth: Int) -> JSONValue {
    switch depth == 0 ? chance.below(5) : chance.below(9) {
    case 0: return .null
    case 1: return .bool(chance.happens(50))
    case 2: return .integer(chance.one(of: OddValues.integers))
    case 3: return .number(chance.one(of: [0.5, -0.0, 1e300, .leastNonzeroMagnitude, 1e15]))
    case 4: return .string(chance.one(of: OddValues.texts))
    case 5, 6: return [anything(depth: depth - 1)]
    default: return [chance.one(of: OddValues.texts): anything(depth: depth - 1), "other": .null]
    }
  }
}

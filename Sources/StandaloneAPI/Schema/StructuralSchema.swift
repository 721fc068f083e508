// Structural schemas: what a CustomResourceDefinition says about its objects, made of `openAPIV3Schema` once and applied
// to every object that comes in: unknown fields are pruned, defaults are filled in, and what is wrong is found.
//
// Of rules in CEL (`x-kubernetes-validations`), those that ValidationRule understands are kept.

import KubernetesModel

/// One node of a schema.
indirect enum SchemaType: Sendable {
  case object(properties: [String: StructuralSchema], additional: StructuralSchema?)
  case array(items: StructuralSchema?)
  case string
  case integer
  case number
  case boolean
  /// `x-kubernetes-int-or-string`
  case intOrString
  case any

  /// As it is called in messages.
  var name: String {
    switch self {
    case .object: "object"
    case .array: "array"
    case .string: "string"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .intOrString: "int-or-string"
    case .any: "any"
    }
  }
}

/// What is said about a value.
struct StructuralSchema: Sendable {
  var type: SchemaType
  var required: [String]
  var preservesUnknown: Bool
  var isNullable: Bool
  var defaultValue: JSONValue?
  /// What else holds: `minLength`, `pattern`, `enum`, `oneOf` …, as the schema has it.
  var rules: SchemaRules
  /// What holds between its parts, and between it and what it was.
  var validations: [ValidationRule]

  init(_ json: JSONValue) {
    let properties = (json["properties"].object ?? [:]).mapValues { StructuralSchema($0) }
    switch json["type"].string {
    case "object":
      let additional = json["additionalProperties"]
      type = .object(
        properties: properties, additional: additional.object != nil ? StructuralSchema(additional) : nil)
    case "array": type = .array(items: json["items"].object != nil ? StructuralSchema(json["items"]) : nil)
    case "string": type = .string
    case "integer": type = .integer
    case "number": type = .number
    case "boolean": type = .boolean
    default: type = json["x-kubernetes-int-or-string"] == true ? .intOrString : .any
    }
    required = (json["required"].array ?? []).compactMap(\.string)
    preservesUnknown =
      json["x-kubernetes-preserve-unknown-fields"] == true || json["additionalProperties"] == true
    isNullable = json["nullable"] == true
    defaultValue = json.object?["default"]
    rules = SchemaRules(json)
    validations = (json["x-kubernetes-validations"].array ?? []).compactMap(ValidationRule.init)
  }
}

extension StructuralSchema {
  /// `value` without the fields that the schema does not know, whose paths are collected.
  ///
  /// Of the object as a whole, `apiVersion`, `kind` and `metadata` are always known.
  func pruned(_ value: JSONValue, at path: FieldPath = .root, _ unknown: inout [FieldPath]) -> JSONValue {
    switch (type, value) {
    case (.object(let properties, let additional), .object(let members)):
      var kept: [String: JSONValue] = [:]
      for (name, member) in members {
        if path.isRoot, ["apiVersion", "kind", "metadata"].contains(name) {
          kept[name] = member
        } else if let schema = properties[name] ?? additional {
          kept[name] = schema.pruned(member, at: path.member(name), &unknown)
        } else if preservesUnknown {
          kept[name] = member
        } else {
          unknown.append(path.member(name))
        }
      }
      return .object(kept)
    case (.array(.some(let items)), .array(let elements)):
      return .array(elements.enumerated().map { items.pruned($1, at: path.element($0), &unknown) })
    default:
      return value
    }
  }

  /// `value` with defaults where nothing is, and without `null` where a default is to be.
  func defaulted(_ value: JSONValue) -> JSONValue {
    switch (type, value) {
    case (.object(let properties, let additional), .object(var members)):
      for (name, schema) in properties {
        if members[name] == nil || (members[name] == .null && !schema.isNullable) {
          guard let value = schema.defaultValue else { continue }
          members[name] = value
        }
        members[name] = members[name].map { schema.defaulted($0) }
      }
      if let additional {
        for (name, member) in members where properties[name] == nil { members[name] = additional.defaulted(member) }
      }
      return .object(members)
    case (.array(.some(let items)), .array(let elements)):
      return .array(elements.map { items.defaulted($0) })
    default:
      return value
    }
  }

  /// `value` without members that are `null` though the schema does not let them be, as kube-apiserver drops them from
  /// custom resources.
  func withoutNulls(_ value: JSONValue) -> JSONValue {
    switch (type, value) {
    case (.object(let properties, let additional), .object(let members)):
      var kept: [String: JSONValue] = [:]
      for (name, member) in members {
        let schema = properties[name] ?? additional
        if member.isNull, let schema, !schema.isNullable { continue }
        kept[name] = schema?.withoutNulls(member) ?? member
      }
      return .object(kept)
    case (.array(.some(let items)), .array(let elements)):
      return .array(elements.map { items.withoutNulls($0) })
    default:
      return value
    }
  }
}

/// A place in an object, as messages name it: `spec.sourceEnv[0].name`.
struct FieldPath: Sendable, Hashable, CustomStringConvertible {
  static let root = FieldPath(description: "")

  let description: String
  var isRoot: Bool { description.isEmpty }

  func member(_ name: String) -> FieldPath {
    FieldPath(description: isRoot ? name : name.contains(".") ? "\(description)[\(name)]" : "\(description).\(name)")
  }

  func element(_ index: Int) -> FieldPath { FieldPath(description: "\(description)[\(index)]") }
}

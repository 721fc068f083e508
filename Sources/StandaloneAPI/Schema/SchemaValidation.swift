// Finding what is wrong with an object, by its schema, in the words of kube-apiserver.

import KubernetesModel

extension StructuralSchema {
  /// Everything that is wrong with `value`; nothing if it is right.
  func causes(_ value: JSONValue, at path: FieldPath = .root) -> [Refusal.Cause] {
    if value.isNull {
      return isNullable || isAny ? [] : [wrongType(value, at: path)]
    }
    switch (type, value) {
    case (.object(let properties, let additional), .object(let members)):
      var causes = required.filter { members[$0] == nil }.map { Refusal.Cause.required(path.member($0)) }
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        guard let schema = properties[name] ?? additional else { continue }
        causes += schema.causes(member, at: path.member(name))
      }
      return causes + rules.causes(value, at: path)
    case (.array(let items), .array(let elements)):
      let inner = elements.enumerated().flatMap { items?.causes($1, at: path.element($0)) ?? [] }
      return inner + rules.causes(value, at: path)
    case (.any, .object(let members)):
      return required.filter { members[$0] == nil }.map { Refusal.Cause.required(path.member($0)) }
        + rules.causes(value, at: path)
    case (.string, .string), (.boolean, .bool), (.integer, .integer), (.number, .integer), (.number, .number),
      (.intOrString, .integer), (.intOrString, .string), (.any, _):
      return rules.causes(value, at: path)
    default:
      return [wrongType(value, at: path)]
    }
  }

  private var isAny: Bool {
    if case .any = type { true } else { false }
  }

  private func wrongType(_ value: JSONValue, at path: FieldPath) -> Refusal.Cause {
    let found =
      switch value {
      case .null: "null"
      case .bool: "boolean"
      case .integer: "integer"
      case .number: "number"
      case .string: "string"
      case .array: "array"
      case .object: "object"
      }
    return Refusal.Cause(
      reason: "FieldValueTypeInvalid", field: path.description,
      message: "Invalid value: \"\(found)\": \(path) in body must be of type \(type.name): \"\(found)\"")
  }
}

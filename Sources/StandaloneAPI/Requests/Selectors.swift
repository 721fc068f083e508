// Label and field selectors, as `kubectl get -l` and `--field-selector` send them.
//
//     app=sync,tier!=test,zone in (a, b),zone notin (c),ready,!old
//     metadata.name=nightly,status.phase!=Running

import KubernetesModel

/// Which objects a request is about.
struct ObjectSelector: Sendable {
  private enum Requirement: Sendable {
    case isIn(key: String, values: Set<String>)
    case isNotIn(key: String, values: Set<String>)
    case exists(key: String)
    case isMissing(key: String)
  }

  private struct FieldRequirement: Sendable {
    var path: [String]
    var value: String
    var isEqual: Bool
  }

  private var labels: [Requirement] = []
  private var fields: [FieldRequirement] = []

  /// - Throws: A refusal naming what is not understood.
  init(labels: String?, fields: String?, of definition: ResourceDefinition) throws(Refusal) {
    for text in Self.split(labels ?? "") { self.labels.append(try Self.label(text)) }
    for text in Self.split(fields ?? "") { self.fields.append(try Self.field(text, of: definition)) }
  }

  /// Whether every object is meant.
  var isEverything: Bool { labels.isEmpty && fields.isEmpty }

  func matches(_ object: JSONValue) -> Bool {
    let own = object["metadata"]["labels"]
    let hasLabels = labels.allSatisfy { requirement in
      switch requirement {
      case .isIn(let key, let values): own[key].string.map(values.contains) ?? false
      case .isNotIn(let key, let values): own[key].string.map { !values.contains($0) } ?? true
      case .exists(let key): own[key].string != nil
      case .isMissing(let key): own[key].string == nil
      }
    }
    return hasLabels
      && fields.allSatisfy { field in
        let value = field.path.reduce(object) { $0[$1] }
        return (text(value) == field.value) == field.isEqual
      }
  }

  private func text(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .integer(let number): "\(number)"
    case .bool(let bool): "\(bool)"
    default: ""
    }
  }

  /// At commas that are in no brackets.
  private static func split(_ text: String) -> [String] {
    var depth = 0
    return text.split { character in
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      return character == "," && depth == 0
    }.map { trimmed($0) }.filter { !$0.isEmpty }
  }

  private static func label(_ text: String) throws(Refusal) -> Requirement {
    if text.hasPrefix("!") { return .isMissing(key: trimmed(text.dropFirst())) }
    for (word, isIn) in [("notin", false), ("in", true)] {
      let parts = text.split(maxSplits: 1) { $0 == " " || $0 == "(" }
      guard parts.count == 2, let range = text.firstRange(of: word), text.hasSuffix(")"),
        trimmed(text[range.upperBound...]).hasPrefix("("),
        trimmed(text[..<range.lowerBound]) == parts[0]
      else { continue }
      let list = trimmed(text[range.upperBound...]).dropFirst().dropLast()
      let values = Set(list.split(separator: ",").map { trimmed($0) })
      let key = String(parts[0])
      return isIn ? .isIn(key: key, values: values) : .isNotIn(key: key, values: values)
    }
    if let (key, value, isEqual) = comparison(text) {
      return isEqual ? .isIn(key: key, values: [value]) : .isNotIn(key: key, values: [value])
    }
    guard !text.contains(where: { " ()".contains($0) }) else {
      throw .badRequest("unable to parse requirement: \"\(text)\" is no label selector")
    }
    return .exists(key: text)
  }

  private static func field(_ text: String, of definition: ResourceDefinition) throws(Refusal) -> FieldRequirement {
    guard let (key, value, isEqual) = comparison(text) else {
      throw .badRequest("invalid selector: '\(text)'; can't understand '\(text)'")
    }
    guard ["metadata.name", "metadata.namespace"].contains(key) || definition.selectableFields.contains(key) else {
      throw .badRequest("field label not supported: \(key)")
    }
    return FieldRequirement(path: key.split(separator: ".").map(String.init), value: value, isEqual: isEqual)
  }

  private static func comparison(_ text: String) -> (key: String, value: String, isEqual: Bool)? {
    for (sign, isEqual) in [("!=", false), ("==", true), ("=", true)] {
      guard let range = text.firstRange(of: sign) else { continue }
      return (trimmed(text[..<range.lowerBound]), trimmed(text[range.upperBound...]), isEqual)
    }
    return nil
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    guard let first = text.firstIndex(where: { $0 != " " }), let last = text.lastIndex(where: { $0 != " " }) else {
      return ""
    }
    return String(text[first...last])
  }
}

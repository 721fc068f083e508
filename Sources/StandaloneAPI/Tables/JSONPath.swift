// The part of kubectl's JSONPath that the columns of resource types use.
//
//     .status.phase    .status.conditions[?(@.type=="Ready")].status    .spec.sourceEnv[0].name    .metadata.labels['a.b/c']

import KubernetesModel

/// Finds values in an object.
struct JSONPath: Sendable, Hashable {
  private enum Step: Sendable, Hashable {
    case member(String)
    /// From the end if negative.
    case element(Int)
    case all
    /// Elements of which the value at the path is, or is not, a text.
    case filter([String], isEqual: Bool, String)
  }

  private let steps: [Step]

  /// `nil` when the text is no path that can be followed.
  init?(_ text: String) {
    var steps: [Step] = []
    var rest = text[...]
    while let first = rest.popFirst() {
      switch first {
      case ".":
        let name = rest.prefix { $0 != "." && $0 != "[" }
        rest = rest.dropFirst(name.count)
        if name == "*" { steps.append(.all) } else if !name.isEmpty { steps.append(.member(String(name))) }
      case "[":
        guard let end = Self.end(of: rest), let step = Self.bracketed(rest[..<end]) else { return nil }
        rest = rest[rest.index(after: end)...]
        steps.append(step)
      default: return nil
      }
    }
    self.steps = steps
  }

  /// The values that the path leads to, in order.
  func values(in root: JSONValue) -> [JSONValue] {
    steps.reduce([root]) { values, step in
      values.flatMap { value -> [JSONValue] in
        let elements = value.array ?? []
        switch step {
        case .member(let name): return value.object?[name].map { [$0] } ?? []
        case .element(let index):
          let place = index < 0 ? elements.count + index : index
          return elements.indices.contains(place) ? [elements[place]] : []
        case .all: return value.array ?? value.object.map { $0.sorted { $0.key < $1.key }.map(\.value) } ?? []
        case .filter(let path, let isEqual, let text):
          return elements.filter { element in
            let found = path.reduce(element) { $0[$1] }
            return !found.isNull && (found.plain == text) == isEqual
          }
        }
      }
    }
  }

  /// The bracket that closes, outside of quotes.
  private static func end(of text: Substring) -> Substring.Index? {
    var quote: Character?
    for index in text.indices {
      let character = text[index]
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == "]" {
        return index
      }
    }
    return nil
  }

  private static func bracketed(_ text: Substring) -> Step? {
    if text == "*" { return .all }
    if let index = Int(text) { return .element(index) }
    if let name = unquoted(text) { return .member(name) }
    guard text.hasPrefix("?(@"), text.hasSuffix(")") else { return nil }
    let condition = text.dropFirst(3).dropLast()
    for (sign, isEqual) in [("==", true), ("!=", false)] {
      guard let range = condition.firstRange(of: sign) else { continue }
      let path = condition[..<range.lowerBound].split(separator: ".").map { String($0.filter { $0 != " " }) }
      let value = condition[range.upperBound...].drop { $0 == " " }
      return .filter(path, isEqual: isEqual, unquoted(value) ?? String(value.filter { $0 != " " }))
    }
    return nil
  }

  private static func unquoted(_ text: Substring) -> String? {
    guard text.count >= 2, let first = text.first, first == "\"" || first == "'", text.last == first else { return nil }
    return String(text.dropFirst().dropLast())
  }
}

extension JSONValue {
  /// As a cell of a table shows it.
  var plain: String {
    switch self {
    case .null: "<nil>"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): value
    case .array, .object: (try? JSON.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
  }
}

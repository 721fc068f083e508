// Rules of schemas in the Common Expression Language (`x-kubernetes-validations`), of which this is a small part: what
// the definitions in the chart use.
//
//     self.source != self.destination     self == oldSelf     !has(self.value) || self.value == ""
//
// A rule that is written with more than that is not enforced, as by Kubernetes before 1.25.

import KubernetesModel

/// One rule.
struct ValidationRule: Sendable {
  private indirect enum Expression: Sendable {
    case literal(JSONValue)
    /// Members below `self` or `oldSelf`.
    case path(isOld: Bool, [String])
    case has(isOld: Bool, [String])
    case not(Expression)
    case equal(Expression, Expression)
    case unequal(Expression, Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
  }

  /// Evaluation came to a member that is not there, which breaks the rule.
  private struct Missing: Error {}

  let message: String
  private let expression: Expression
  /// Whether it compares with the object before the change: then it is no rule for new objects.
  let isAboutChange: Bool

  /// `nil` for a rule that goes beyond what is understood here.
  init?(_ json: JSONValue) {
    guard let text = json["rule"].string, var parser = Parser(text), let expression = parser.disjunction(),
      parser.isAtEnd
    else { return nil }
    self.expression = expression
    isAboutChange = parser.usesOldSelf
    message = json["message"].string ?? "failed rule: \(text)"
  }

  /// Whether `value`, which was `old` before, keeps the rule.
  func holds(for value: JSONValue, after old: JSONValue?) -> Bool {
    guard !isAboutChange || old != nil else { return true }
    return (try? evaluate(expression, value, old ?? .null)) == .bool(true)
  }

  private func evaluate(_ expression: Expression, _ value: JSONValue, _ old: JSONValue) throws(Missing) -> JSONValue {
    switch expression {
    case .literal(let literal): return literal
    case .path(let isOld, let names):
      var found = isOld ? old : value
      for name in names {
        guard let member = found.object?[name] else { throw Missing() }
        found = member
      }
      return found
    case .has(let isOld, let names): return .bool(!names.reduce(isOld ? old : value) { $0[$1] }.isNull)
    case .not(let inner): return .bool(try evaluate(inner, value, old) != true)
    case .equal(let left, let right):
      return .bool(try evaluate(left, value, old) == evaluate(right, value, old))
    case .unequal(let left, let right):
      return .bool(try evaluate(left, value, old) != evaluate(right, value, old))
    // As in CEL, either side decides alone if it can, even when the other cannot be evaluated.
    case .and(let left, let right): return try junction(left, right, decidedBy: false, value, old)
    case .or(let left, let right): return try junction(left, right, decidedBy: true, value, old)
    }
  }

  private func junction(
    _ left: Expression, _ right: Expression, decidedBy decisive: JSONValue, _ value: JSONValue, _ old: JSONValue
  ) throws(Missing) -> JSONValue {
    let first = Result { () throws(Missing) in try evaluate(left, value, old) }
    if case .success(decisive) = first { return decisive }
    let second = try evaluate(right, value, old)
    if second == decisive { return decisive }
    return try first.get()
  }

  /// Reads a rule.
  private struct Parser {
    private var tokens: [String] = []
    private var index = 0
    private(set) var usesOldSelf = false

    var isAtEnd: Bool { index == tokens.count }

    /// `nil` when there are characters that no token has.
    init?(_ text: String) {
      var rest = text[...]
      while let first = rest.first {
        if first.isWhitespace {
          rest.removeFirst()
        } else if first == "\"" || first == "'" {
          guard let end = rest.dropFirst().firstIndex(of: first), !rest[...end].contains("\\") else { return nil }
          tokens.append("\"" + rest[rest.index(after: rest.startIndex)..<end])
          rest = rest[rest.index(after: end)...]
        } else if let sign = ["&&", "||", "==", "!=", "!", "(", ")", "."].first(where: { rest.hasPrefix($0) }) {
          tokens.append(sign)
          rest = rest.dropFirst(sign.count)
        } else {
          let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
          guard !word.isEmpty else { return nil }
          tokens.append(String(word))
          rest = rest.dropFirst(word.count)
        }
      }
    }

    mutating func disjunction() -> Expression? {
      guard var left = conjunction() else { return nil }
      while take("||") {
        guard let right = conjunction() else { return nil }
        left = .or(left, right)
      }
      return left
    }

    private mutating func conjunction() -> Expression? {
      guard var left = comparison() else { return nil }
      while take("&&") {
        guard let right = comparison() else { return nil }
        left = .and(left, right)
      }
      return left
    }

    private mutating func comparison() -> Expression? {
      guard let left = term() else { return nil }
      if take("==") { return term().map { .equal(left, $0) } }
      if take("!=") { return term().map { .unequal(left, $0) } }
      return left
    }

    private mutating func term() -> Expression? {
      if take("!") { return term().map { .not($0) } }
      if take("(") {
        guard let inner = disjunction(), take(")") else { return nil }
        return inner
      }
      guard index < tokens.count else { return nil }
      let token = tokens[index]
      if token.hasPrefix("\"") {
        index += 1
        return .literal(.string(String(token.dropFirst())))
      }
      switch token {
      case "true", "false":
        index += 1
        return .literal(.bool(token == "true"))
      case "has":
        index += 1
        guard take("("), let (isOld, names) = path(), !names.isEmpty, take(")") else { return nil }
        return .has(isOld: isOld, names)
      case "self", "oldSelf":
        return path().map { .path(isOld: $0.isOld, $0.names) }
      default:
        index += 1
        return Int64(token).map { .literal(.integer($0)) }
      }
    }

    private mutating func path() -> (isOld: Bool, names: [String])? {
      let isOld = take("oldSelf")
      guard isOld || take("self") else { return nil }
      if isOld { usesOldSelf = true }
      var names: [String] = []
      while take(".") {
        guard index < tokens.count, tokens[index].first?.isLetter == true || tokens[index].first == "_" else {
          return nil
        }
        names.append(tokens[index])
        index += 1
      }
      // A call, `self.matches(…)`.
      guard index == tokens.count || tokens[index] != "(" else { return nil }
      return (isOld, names)
    }

    private mutating func take(_ token: String) -> Bool {
      guard index < tokens.count, tokens[index] == token else { return false }
      index += 1
      return true
    }
  }
}

extension StructuralSchema {
  /// The rules that `value`, which was `old` before, breaks. Elements of lists are compared with nothing, since lists are
  /// atomic.
  func brokenRules(_ value: JSONValue, after old: JSONValue?, at path: FieldPath = .root) -> [Refusal.Cause] {
    var causes = validations.filter { !$0.holds(for: value, after: old) }.map {
      Refusal.Cause.invalid(value, at: path, $0.message)
    }
    switch (type, value) {
    case (.object(let properties, let additional), .object(let members)):
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        guard let schema = properties[name] ?? additional, !member.isNull else { continue }
        causes += schema.brokenRules(member, after: old?.object?[name], at: path.member(name))
      }
    case (.array(.some(let items)), .array(let elements)):
      for (index, element) in elements.enumerated() {
        causes += items.brokenRules(element, after: nil, at: path.element(index))
      }
    default: break
    }
    return causes
  }
}

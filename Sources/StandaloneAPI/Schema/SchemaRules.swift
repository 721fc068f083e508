// What a schema says besides types: lengths, patterns, enumerations, and exactly-one-of.

import KubernetesModel

/// The value rules of one node.
struct SchemaRules: Sendable {
  private var minLength: Int?
  private var maxLength: Int?
  private var minItems: Int?
  private var maxItems: Int?
  private var maxProperties: Int?
  private var minProperties: Int?
  private var minimum: Double?
  private var maximum: Double?
  private var pattern: Pattern?
  private var allowed: [JSONValue]?
  private var format: String?
  private var listKeys: [String]
  private var isSet: Bool
  private var oneOf: [StructuralSchema]
  private var anyOf: [StructuralSchema]
  private var allOf: [StructuralSchema]

  init(_ json: JSONValue) {
    func integer(_ name: String) -> Int? { json[name].integer.map { Int($0) } }
    func number(_ name: String) -> Double? {
      if case .number(let value) = json[name] { value } else { json[name].integer.map(Double.init) }
    }
    func schemas(_ name: String) -> [StructuralSchema] { (json[name].array ?? []).map(StructuralSchema.init) }
    minLength = integer("minLength")
    maxLength = integer("maxLength")
    minItems = integer("minItems")
    maxItems = integer("maxItems")
    maxProperties = integer("maxProperties")
    minProperties = integer("minProperties")
    minimum = number("minimum")
    maximum = number("maximum")
    pattern = json["pattern"].string.map(Pattern.init)
    allowed = json["enum"].array
    format = json["format"].string
    let isMap = json["x-kubernetes-list-type"] == "map"
    listKeys = isMap ? (json["x-kubernetes-list-map-keys"].array ?? []).compactMap(\.string) : []
    isSet = json["x-kubernetes-list-type"] == "set"
    oneOf = schemas("oneOf")
    anyOf = schemas("anyOf")
    allOf = schemas("allOf")
  }

  /// What `value`, which is of the right type, breaks.
  func causes(_ value: JSONValue, at path: FieldPath) -> [Refusal.Cause] {
    var causes: [Refusal.Cause] = []
    func invalid(_ why: String) {
      causes.append(.invalid(value, at: path, "\(path) in body \(why)"))
    }
    switch value {
    case .string(let text):
      // JSON Schema counts characters, not bytes.
      let length = text.unicodeScalars.count
      if let minLength, length < minLength { invalid("should be at least \(minLength) chars long") }
      if let maxLength, length > maxLength {
        causes.append(
          Refusal.Cause(
            reason: "FieldValueTooLong", field: path.description,
            message: "Too long: may not be longer than \(maxLength)"))
      }
      if let pattern, !pattern.matches(text) { invalid("should match '\(pattern.text)'") }
      if format == "date-time", !DateTime.isValid(text) { invalid("must be of type date-time: \"\(text)\"") }
    case .integer, .number:
      let number = if case .number(let value) = value { value } else { Double(value.integer ?? 0) }
      if let minimum, number < minimum { invalid("should be greater than or equal to \(Self.plain(minimum))") }
      if let maximum, number > maximum { invalid("should be less than or equal to \(Self.plain(maximum))") }
      if format == "int32", Int32(exactly: number) == nil { invalid("must be of type int32") }
    case .array(let elements):
      if let minItems, elements.count < minItems { invalid("should have at least \(minItems) items") }
      if let maxItems, elements.count > maxItems {
        causes.append(
          Refusal.Cause(
            reason: "FieldValueTooMany", field: path.description,
            message: "Too many: \(elements.count): must have at most \(maxItems) items"))
      }
      causes += duplicates(elements, at: path)
    case .object(let members):
      if let minProperties, members.count < minProperties {
        invalid("should have at least \(minProperties) properties")
      }
      if let maxProperties, members.count > maxProperties {
        causes.append(
          Refusal.Cause(
            reason: "FieldValueTooMany", field: path.description,
            message: "Too many: \(members.count): must have at most \(maxProperties) items"))
      }
    case .null, .bool: break
    }
    if let allowed, !allowed.contains(value) {
      causes.append(
        Refusal.Cause(
          reason: "FieldValueNotSupported", field: path.description,
          message:
            "Unsupported value: \(value.shown): supported values: \(allowed.map(\.shown).joined(separator: ", "))"
        ))
    }
    return causes + combinations(value, at: path)
  }

  private func combinations(_ value: JSONValue, at path: FieldPath) -> [Refusal.Cause] {
    func count(_ schemas: [StructuralSchema]) -> Int { schemas.count { $0.causes(value, at: path).isEmpty } }
    var causes: [Refusal.Cause] = []
    if !oneOf.isEmpty, count(oneOf) != 1 {
      causes.append(.invalid(value, at: path, "\(path) in body must validate one and only one schema (oneOf)"))
    }
    if !anyOf.isEmpty, count(anyOf) == 0 {
      causes.append(.invalid(value, at: path, "\(path) in body must validate at least one schema (anyOf)"))
    }
    return causes + allOf.flatMap { $0.causes(value, at: path) }
  }

  private func duplicates(_ elements: [JSONValue], at path: FieldPath) -> [Refusal.Cause] {
    guard isSet || !listKeys.isEmpty else { return [] }
    var seen: Set<JSONValue> = []
    return elements.enumerated().compactMap { index, element in
      let key = isSet ? element : JSONValue.array(listKeys.map { element[$0] })
      guard !seen.insert(key).inserted else { return nil }
      return Refusal.Cause(
        reason: "FieldValueDuplicate", field: path.element(index).description,
        message: "Duplicate value: \(element.shown)")
    }
  }

  private static func plain(_ number: Double) -> String { Int64(exactly: number).map { "\($0)" } ?? "\(number)" }
}

/// The format `date-time`, as kube-apiserver checks it: four digits of a year, a date that exists, and a time whose zone
/// and fraction are hardly looked at.
private enum DateTime {
  static func isValid(_ text: String) -> Bool {
    let parts = text.lowercased().split(separator: "t", omittingEmptySubsequences: false)
    guard parts.count >= 2, Timestamp("\(parts[0])T00:00:00Z") != nil, parts[0].utf8.count == 10,
      let time = String(parts[1]).wholeMatch(
        of: /([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})/)
    else { return false }
    return time.1 <= "23" && time.2 <= "59" && time.3 <= "59"
  }
}

/// A regular expression of a schema. Kubernetes means Go's syntax, of which schemas use what Swift's has as well.
private struct Pattern: Sendable {
  let text: String

  init(_ text: String) { self.text = text }

  /// An expression that cannot be read matches everything, rather than keeping objects out that are right.
  func matches(_ value: String) -> Bool {
    guard let expression = try? Regex(text).matchingSemantics(.unicodeScalar) else { return true }
    return (try? expression.firstMatch(in: value)) != nil
  }
}

extension Refusal.Cause {
  static func invalid(_ value: JSONValue, at path: FieldPath, _ why: String) -> Self {
    Self(
      reason: "FieldValueInvalid", field: path.description, message: "Invalid value: \(value.shown): \(why)")
  }

  static func required(_ path: FieldPath) -> Self {
    Self(reason: "FieldValueRequired", field: path.description, message: "Required value")
  }
}

extension JSONValue {
  /// As messages show a value: whole scalars, only the type of what is made of parts.
  var shown: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .array: "\"array\""
    case .object: "\"object\""
    }
  }
}

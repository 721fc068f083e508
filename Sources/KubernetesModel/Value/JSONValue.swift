// JSONValue: any JSON document, kept whole.
//
// Typed models decode the few fields the operator reads; what must pass through unharmed (an `EnvVar`'s `valueFrom`,
// a Job that hooks may change) is held as a JSONValue. Integers stay integers, `[]` and `{}` stay what they were.
//
//     var job: JSONValue = ["spec": ["backoffLimit": 0]]
//     job["spec"]["template"]["metadata"]["labels"]["app"] = "sync"
//     job["spec"]["backoffLimit"].integer   // 0

import FoundationEssentials

/// A JSON document of any shape.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// The member `key`: `.null` when this is no object or has no such member.
  ///
  /// Assigning creates the objects on the way, so deep paths can be written in one line. Assigning to a member of a
  /// value that is neither an object nor `.null` replaces that value by an object.
  public subscript(key: String) -> JSONValue {
    get {
      guard case .object(let members) = self else { return .null }
      return members[key] ?? .null
    }
    set {
      var members = object ?? [:]
      members[key] = newValue
      self = .object(members)
    }
  }

  /// The element at `index`: `.null` when this is no array or the index is out of range (an assignment is then ignored).
  public subscript(index: Int) -> JSONValue {
    get {
      guard case .array(let elements) = self, elements.indices.contains(index) else { return .null }
      return elements[index]
    }
    set {
      guard case .array(var elements) = self, elements.indices.contains(index) else { return }
      elements[index] = newValue
      self = .array(elements)
    }
  }

  /// Takes the member `key` out of this object; nothing happens when there is none.
  public mutating func removeMember(_ key: String) {
    guard case .object(var members) = self else { return }
    members[key] = nil
    self = .object(members)
  }

  /// Whether this is JSON `null` (also what a missing member reads as).
  public var isNull: Bool { self == .null }

  /// The string, if this is one.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The integer, if this is one (a number without a fraction counts).
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }

  /// The boolean, if this is one.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The elements, if this is an array.
  public var array: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members, if this is an object.
  public var object: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }
}

extension JSONValue: Codable {
  /// Decodes any JSON; an integer that fits 64 bits stays an integer.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([String: JSONValue].self) {
      self = .object(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else {
      self = .number(try container.decode(Double.self))
    }
  }

  /// Encodes the document as it is.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An integer.
  public init(integerLiteral value: Int64) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object; of equal keys the last wins.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
  /// JSON `null`.
  public init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  /// An object of strings, as labels and annotations are.
  public init(_ strings: [String: String]) { self = .object(strings.mapValues { .string($0) }) }

  /// Any encodable value as JSON.
  /// - Throws: `EncodingError` if the value cannot be expressed in JSON (a NaN, say).
  public init(encoding value: some Encodable) throws {
    self = try JSON.decode(JSONValue.self, from: JSON.encode(value))
  }

  /// This document as a typed value.
  /// - Throws: `DecodingError` naming the path that does not fit.
  public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
    try JSON.decode(type, from: JSON.encode(self))
  }
}

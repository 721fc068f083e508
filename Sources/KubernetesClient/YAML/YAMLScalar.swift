// What type a scalar has: the core schema of YAML 1.2, section 10.3.

import KubernetesModel

/// A scalar as written.
struct YAMLScalar {
  var text: String
  /// Neither quoted nor a block.
  var isPlain: Bool
  /// An explicit tag, `tag:yaml.org,2002:str`.
  var tag: String?

  /// The value it stands for.
  func value(at place: YAMLPlace) throws(YAMLError) -> JSONValue {
    let resolved = Self.resolve(text)
    let value: JSONValue?
    switch tag {
    case nil: value = isPlain ? resolved : .string(text)
    case "!", "tag:yaml.org,2002:str": value = .string(text)
    case "tag:yaml.org,2002:null": value = resolved?.isNull == true ? .null : nil
    case "tag:yaml.org,2002:bool": value = resolved?.bool == nil ? nil : resolved
    case "tag:yaml.org,2002:int": if case .integer = resolved { value = resolved } else { value = nil }
    case "tag:yaml.org,2002:float":
      switch resolved {
      case .integer(let integer): value = .number(Double(integer))
      case .number: value = resolved
      default: value = nil
      }
    case .some(let tag): throw YAMLError("the tag \(tag) is not supported", at: place)
    }
    guard let value else {
      throw YAMLError("\"\(text)\" cannot be held as \(tag ?? "a number")", at: place)
    }
    return value
  }

  /// The value of a plain scalar; `nil` for numbers that JSON has no words for (`.inf`, `.nan`).
  private static func resolve(_ text: String) -> JSONValue? {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    case ".nan", ".NaN", ".NAN": return nil
    default: break
    }
    let unsigned = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
    if [".inf", ".Inf", ".INF"].contains(unsigned) { return nil }
    guard let first = unsigned.utf8.first, isDigit(first) || first == UInt8(ascii: ".") else { return .string(text) }
    if text.hasPrefix("0o") { return Int64(text.dropFirst(2), radix: 8).map { .integer($0) } ?? .string(text) }
    if text.hasPrefix("0x") { return Int64(text.dropFirst(2), radix: 16).map { .integer($0) } ?? .string(text) }
    if unsigned.utf8.allSatisfy(isDigit) {
      return Int64(text).map { .integer($0) } ?? Double(text).map { .number($0) } ?? .string(text)
    }
    // What is left can only be a float; Double(_:) alone would take more, "1p3" and "0x1.8" for example.
    guard unsigned.utf8.allSatisfy({ isDigit($0) || ".eE+-".utf8.contains($0) }), let number = Double(text) else {
      return .string(text)
    }
    return number.isFinite ? .number(number) : nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

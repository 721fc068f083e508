// JSONSlices: where the parts of a JSON document lie in its bytes, without reading them.
//
// A decoder reads a document whole or not at all. Cut into slices first, a list gives up the one item that cannot be
// read, and an object its metadata, however wrong the rest is. Nothing here recurses, so no nesting is too deep.
// Brackets and strings are all that is looked at: a slice need not be JSON, which its reader will find out.

public import FoundationEssentials

/// One value in the bytes of a JSON document.
public struct JSONSlice: Sendable {
  private let bytes: Data
  /// Deepest nesting of a document that can be decoded (Foundation's limit).
  package static let depthLimit = 512

  /// The value that `data` is.
  public init(_ data: Data) { bytes = data }

  /// The bytes of the value.
  public var data: Data { bytes }

  /// The value, decoded.
  /// - Throws: `DecodingError`.
  public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value { try JSON.decode(type, from: bytes) }

  /// The member `key`, the last one if there are several; `nil` when this is no object or has no such member.
  public subscript(key: String) -> JSONSlice? { members?.last { $0.key == key }?.value }

  /// The members in their order; `nil` when this is no object, or one that is cut off.
  public var members: [(key: String, value: JSONSlice)]? {
    guard let parts = parts(of: UInt8(ascii: "{"), to: UInt8(ascii: "}")) else { return nil }
    var members: [(key: String, value: JSONSlice)] = []
    for part in parts {
      guard let colon = part.colon,
        let key = try? JSON.decode(String.self, from: cut(part.range.lowerBound..<colon))
      else { return nil }
      members.append((key, JSONSlice(cut((colon + 1)..<part.range.upperBound))))
    }
    return members
  }

  /// The elements in their order; `nil` when this is no array, or one that is cut off.
  public var elements: [JSONSlice]? {
    parts(of: UInt8(ascii: "["), to: UInt8(ascii: "]"))?.map { JSONSlice(cut($0.range)) }
  }

  /// How deeply the value is nested: 0 for a scalar.
  public var depth: Int {
    bytes.withUnsafeBytes { buffer in
      var scanner = Scanner()
      var deepest = 0
      for byte in buffer {
        scanner.take(byte)
        if scanner.depth > deepest { deepest = scanner.depth }
      }
      return deepest
    }
  }

  /// The place that is nested more deeply than can be decoded, `spec.sourceEnv[0].valueFrom`; `nil` if nothing is.
  public var tooDeepPlace: String? {
    guard depth > Self.depthLimit else { return nil }
    var place = ""
    var value = self
    // A few steps tell people where to look.
    for _ in 0..<6 {
      if let member = value.members?.max(by: { $0.value.depth < $1.value.depth }) {
        place += place.isEmpty ? member.key : ".\(member.key)"
        value = member.value
      } else if let elements = value.elements?.enumerated(),
        let element = elements.max(by: { $0.element.depth < $1.element.depth })
      {
        place += "[\(element.offset)]"
        value = element.element
      }
    }
    return place
  }

  private struct Part {
    var range: Range<Int>
    /// The first colon outside of strings and of nested values.
    var colon: Int?
  }

  /// What lies between the outer brackets, cut at commas; places count from the first byte.
  private func parts(of opening: UInt8, to closing: UInt8) -> [Part]? {
    bytes.withUnsafeBytes { buffer -> [Part]? in
      var scanner = Scanner()
      var parts: [Part] = []
      var start: Int?
      var colon: Int?
      for index in 0..<buffer.count {
        let byte = buffer[index]
        let (depth, wasInString) = (scanner.depth, scanner.isInString)
        if depth == 0, !byte.isJSONSpace, byte != opening || start != nil { return nil }
        scanner.take(byte)
        if depth == 0, byte == opening {
          start = index + 1
        } else if depth == 1, !wasInString, let begin = start {
          switch byte {
          case UInt8(ascii: ":"): colon = colon ?? index
          case UInt8(ascii: ","), closing:
            if !buffer[begin..<index].allSatisfy(\.isJSONSpace) {
              parts.append(Part(range: begin..<index, colon: colon))
            }
            if byte == closing { return buffer[(index + 1)...].allSatisfy(\.isJSONSpace) ? parts : nil }
            start = index + 1
            colon = nil
          default: break
          }
        }
      }
      return nil
    }
  }

  /// The bytes from the first place up to the second.
  private func cut(_ range: Range<Int>) -> Data {
    bytes[(bytes.startIndex + range.lowerBound)..<(bytes.startIndex + range.upperBound)]
  }

  /// Follows brackets and strings.
  private struct Scanner {
    private(set) var depth = 0
    private(set) var isInString = false
    private var isEscaped = false

    mutating func take(_ byte: UInt8) {
      guard !isInString else {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        return
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
  }
}

extension UInt8 {
  fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}

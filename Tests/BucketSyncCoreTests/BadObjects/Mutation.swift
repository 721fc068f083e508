// Mutations: JSON that was right once, and the bytes of it, with something wrong put in.

import FoundationEssentials
import KubernetesModel
import TestSupport

/// Puts something wrong into documents.
struct Mutator {
  var chance: SeededChance

  /// The bytes of `document`, or of what was right in it, with up to three things wrong.
  mutating func bytes(of document: JSONValue, or others: [JSONValue]) -> Data {
    var document = document
    for _ in 0..<chance.below(3) { document = changed(document, others) }
    var bytes = [UInt8]((try? JSON.encode(document)) ?? Data())
    for _ in 0..<chance.below(3) { damage(&bytes) }
    return Data(bytes)
  }

  /// `document` with another value at some place.
  private mutating func changed(_ document: JSONValue, _ others: [JSONValue]) -> JSONValue {
    // The deeper, the rarer: what is near the root matters more.
    guard !chance.happens(20) else { return odd(others) }
    switch document {
    case .object(var members):
      guard let key = members.keys.sorted().randomElement(using: &chance) else { return odd(others) }
      switch chance.below(10) {
      case 0: members[key] = nil
      case 1: members[key] = .null
      case 2: members[chance.one(of: OddValues.texts)] = odd(others)
      case 3:
        // Swapped with a neighbour.
        guard let other = members.keys.sorted().randomElement(using: &chance) else { break }
        (members[key], members[other]) = (members[other], members[key])
      default: members[key] = changed(members[key] ?? .null, others)
      }
      return .object(members)
    case .array(var elements):
      guard !elements.isEmpty else { return .array([odd(others)]) }
      let index = chance.below(elements.count)
      switch chance.below(6) {
      case 0: elements.remove(at: index)
      case 1: elements.append(elements[index])
      case 2: elements.insert(odd(others), at: index)
      default: elements[index] = changed(elements[index], others)
      }
      return .array(elements)
    default: return odd(others)
    }
  }

  private mutating func odd(_ others: [JSONValue]) -> JSONValue {
    switch chance.below(12) {
    case 0: .null
    case 1: .bool(chance.happens(50))
    case 2, 3: .integer(chance.one(of: OddValues.integers))
    case 4: .number(chance.one(of: [0.5, -1e300, 1e19, 9.3e18, -9.3e18, .leastNonzeroMagnitude, 1e21]))
    case 5, 6: .string(chance.one(of: OddValues.texts))
    case 7: .string(chance.one(of: OddValues.times))
    case 8: []
    case 9: [:]
    case 10: chance.one(of: others)
    default: [chance.one(of: OddValues.texts): [.string(chance.one(of: OddValues.texts))]]
    }
  }

  /// What no encoder would write.
  private mutating func damage(_ bytes: inout [UInt8]) {
    let place = chance.below(bytes.count + 1)
    switch chance.below(12) {
    case 0: bytes.removeSubrange(place...)
    case 1: bytes.removeSubrange(..<place)
    case 2: if place < bytes.count { bytes[place] = UInt8(truncatingIfNeeded: chance.next()) }
    case 3: bytes.insert(contentsOf: chance.one(of: Self.invalid), at: place)
    case 4: if place < bytes.count { bytes.remove(at: place) }
    case 5: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
    case 6: bytes.insert(contentsOf: Array(chance.one(of: Self.fragments).utf8), at: place)
    case 7: nest(&bytes, depth: chance.happens(1) ? 50_000 : chance.one(of: [10, 200, 505, 512, 600]))
    case 8: replaceNumber(&bytes, by: chance.one(of: Self.numbers))
    case 9: doubleKey(&bytes)
    case 10: bytes = Array(chance.one(of: Self.documents).utf8)
    default: bytes.swapAt(max(0, place - 1), chance.below(max(1, bytes.count)))
    }
  }

  /// Replaces a string by a nest of arrays or objects.
  private mutating func nest(_ bytes: inout [UInt8], depth: Int) {
    let isArray = chance.happens(50)
    let open = Array((isArray ? "[" : #"{"a":"#).utf8)
    let close = Array((isArray ? "]" : "}").utf8)
    let isClosed = chance.happens(80)
    let nest = Array(repeating: open, count: depth).joined() + Array("1".utf8)
    let end = Array(repeating: close, count: isClosed ? depth : depth / 2).joined()
    replace(in: &bytes, from: UInt8(ascii: ":"), by: Array(nest) + Array(end))
  }

  private mutating func replaceNumber(_ bytes: inout [UInt8], by number: String) {
    replace(in: &bytes, from: UInt8(ascii: ":"), by: Array(number.utf8))
  }

  /// Puts `value` behind some `mark`, in place of what comes to the next comma or bracket.
  private mutating func replace(in bytes: inout [UInt8], from mark: UInt8, by value: [UInt8]) {
    let marks = bytes.indices.filter { bytes[$0] == mark }
    guard let start = marks.randomElement(using: &chance) else { return }
    let end = bytes[start...].firstIndex { [UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]")].contains($0) }
    bytes.replaceSubrange((start + 1)..<(end ?? bytes.count), with: value)
  }

  /// Writes a member twice, the second time with another value.
  private mutating func doubleKey(_ bytes: inout [UInt8]) {
    let starts = bytes.indices.filter { bytes[$0] == UInt8(ascii: "{") }
    guard let start = starts.randomElement(using: &chance), start + 1 < bytes.count else { return }
    let key = bytes[(start + 1)...].prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "}") }
    guard !key.isEmpty else { return }
    let value = chance.one(of: ["null", "1", "\"x\"", "{}", "[]"])
    bytes.insert(contentsOf: Array(key) + Array(":\(value),".utf8), at: start + 1)
  }

  private static let invalid: [[UInt8]] = [
    [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x00], [0xfe, 0xff],
    [0xef, 0xbb, 0xbf],
  ]
  private static let fragments = [
    #""\ud800""#, #""\udc00\ud800""#, #"\u0000"#, #""\x""#, "//", "/* */", ",", ",,", "{", "}", "[", "]", "\"", "\\",
    ":",
    "NaN", "Infinity", "-", "+1", "01", "1.", ".5", "1e", "'", "undefined", "\n", "\u{2028}", "tru", "nul",
  ]
  private static let numbers = [
    "1e999", "-1e999", "1e-999", "123456789012345678901234567890", "-9223372036854775809", "18446744073709551616",
    "0.1e-7", "1E400", "-0", "00", "1e5", "2.0", "1.5", String(repeating: "9", count: 5000), "0x10", "-",
  ]
  private static let documents = [
    "", " ", "null", "true", "0", "\"\"", "[]", "{}", "[{}]", "{", "<html>", "\u{feff}{}",
  ]
}

// The flat buffer between Swift and C; wire.c has the format.

internal import KubernetesModel

/// Writes arguments.
struct WireWriter {
  /// As deep as the other side reads; anything below is left out, and the other side complains.
  private static let deepest = 66

  private(set) var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(4096) }

  mutating func append(arguments: [LuaValue]) {
    append(UInt32(arguments.count))
    for argument in arguments { append(argument, depth: 0) }
  }

  private mutating func append(_ value: LuaValue, depth: Int) {
    switch value {
    case .json(let json): append(json, depth: depth)
    case .time(let time):
      append(tag: "T")
      append(time.unixSeconds)
    case .table(let members):
      append(tag: "o")
      append(UInt32(members.count))
      for (key, member) in members {
        append(text: key)
        append(member, depth: depth + 1)
      }
    }
  }

  private mutating func append(_ json: JSONValue, depth: Int) {
    guard depth < Self.deepest else { return append(tag: "n") }
    switch json {
    case .null: append(tag: "n")
    case .bool(let value): append(tag: value ? "t" : "f")
    case .integer(let value):
      append(tag: "i")
      append(value)
    case .number(let value):
      append(tag: "d")
      append(value.bitPattern)
    case .string(let value):
      append(tag: "s")
      append(text: value)
    case .array(let elements):
      append(tag: "a")
      append(UInt32(elements.count))
      for element in elements { append(element, depth: depth + 1) }
    case .object(let members):
      append(tag: "o")
      append(UInt32(members.count))
      for (key, member) in members {
        append(text: key)
        append(member, depth: depth + 1)
      }
    }
  }

  private mutating func append(tag: Unicode.Scalar) { bytes.append(UInt8(ascii: tag)) }

  private mutating func append(text: String) {
    append(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
  }
}

/// Reads results and logs. What it reads was written by our own C; all the same it never reads beyond the end.
struct WireReader {
  private var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

  /// The whole result: `.some(nil)` when the function returned nothing, `nil` when it cannot be read.
  mutating func result() -> JSONValue?? {
    if rest.first == UInt8(ascii: "z") { return .some(nil) }
    return value().map { .some($0) }
  }

  /// The lines of a log.
  static func log(_ bytes: UnsafeRawBufferPointer) -> [LuaLogLine] {
    var reader = WireReader(bytes)
    var lines: [LuaLogLine] = []
    while let level: UInt8 = reader.number(), let text = reader.text() {
      lines.append(LuaLogLine(level: LuaLogLine.Level(rawValue: level) ?? .info, text: text))
    }
    return lines
  }

  private mutating func value() -> JSONValue? {
    guard let tag: UInt8 = number() else { return nil }
    switch Unicode.Scalar(tag) {
    case "n": return .null
    case "t": return true
    case "f": return false
    case "i": return number().map { .integer($0) }
    case "d": return number().map { (bits: UInt64) in .number(Double(bitPattern: bits)) }
    case "s": return text().map { .string($0) }
    case "a": return array()
    case "o": return object()
    default: return nil
    }
  }

  private mutating func array() -> JSONValue? {
    guard let count: UInt32 = number(), count <= rest.count else { return nil }
    var elements: [JSONValue] = []
    elements.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let element = value() else { return nil }
      elements.append(element)
    }
    return .array(elements)
  }

  private mutating func object() -> JSONValue? {
    guard let count: UInt32 = number(), count <= rest.count else { return nil }
    var members: [String: JSONValue] = [:]
    members.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let key = text(), let member = value() else { return nil }
      members[key] = member
    }
    return .object(members)
  }

  private mutating func text() -> String? {
    guard let count: UInt32 = number(), count <= rest.count else { return nil }
    defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Int(count))) }
    return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
  }

  private mutating func number<Number: FixedWidthInteger & BitwiseCopyable>() -> Number? {
    guard rest.count >= MemoryLayout<Number>.size else { return nil }
    defer { rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(MemoryLayout<Number>.size)) }
    return rest.loadUnaligned(as: Number.self)
  }
}

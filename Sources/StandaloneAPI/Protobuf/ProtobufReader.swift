// Objects in protobuf, as `kubectl create` and `kubectl auth can-i` send built-in types since 1.35: turned into JSON by
// tables of their fields. Answers are JSON, which those clients take as well.
//
//     k8s\0  Unknown { 1: TypeMeta { 1: apiVersion, 2: kind }, 2: the object }

import FoundationEssentials
import KubernetesModel

/// What a message looks like.
indirect enum ProtobufShape: Sendable {
  /// A text; an empty one is left out, as JSON leaves it out.
  case text
  /// A number; zero is left out.
  case number
  /// A number that may be zero, since it would be missing if it was not meant.
  case setNumber
  case flag
  case setFlag
  /// Bytes, base64 in JSON.
  case bytes
  /// Text → text or bytes.
  case map(ProtobufShape)
  case list(ProtobufShape)
  case message([Int: ProtobufField])
  /// Left out whatever it is.
  case ignored
}

/// A field of a message.
struct ProtobufField: Sendable {
  let name: String
  let shape: ProtobufShape

  init(_ name: String, _ shape: ProtobufShape = .text) {
    self.name = name
    self.shape = shape
  }
}

enum ProtobufReader {
  static let mediaType = "application/vnd.kubernetes.protobuf"
  private static let magic = Data([0x6b, 0x38, 0x73, 0])

  /// The object in `data`, with its type.
  static func object(_ data: Data) throws(Refusal) -> JSONValue {
    guard data.starts(with: magic) else { throw .badRequest("the body is no protobuf of Kubernetes") }
    var apiVersion = ""
    var kind = ""
    var raw = Data()
    for (number, value) in try fields(data.dropFirst(magic.count)) {
      guard case .bytes(let bytes) = value else { continue }
      if number == 2 { raw = bytes }
      guard number == 1 else { continue }
      for (part, text) in try fields(bytes) {
        guard case .bytes(let bytes) = text else { continue }
        if part == 1 { apiVersion = String(decoding: bytes, as: UTF8.self) }
        if part == 2 { kind = String(decoding: bytes, as: UTF8.self) }
      }
    }
    guard let shape = ProtobufShapes.all[kind == "DeleteOptions" ? kind : "\(apiVersion)/\(kind)"] else {
      throw unsupported("\(kind) of \(apiVersion)")
    }
    var object = try message(raw, shape, kind) ?? [:]
    object["apiVersion"] = .string(apiVersion)
    object["kind"] = .string(kind)
    return object
  }

  private enum Value {
    case number(UInt64)
    case bytes(Data)

    var isZero: Bool {
      switch self {
      case .number(let number): number == 0
      case .bytes(let bytes): bytes.isEmpty
      }
    }
  }

  private static func unsupported(_ what: String) -> Refusal {
    Refusal(
      415, "UnsupportedMediaType",
      "this server does not read \(what) in protobuf; write it as YAML, with --dry-run=client -o yaml, and apply that")
  }

  private static func message(
    _ data: Data, _ table: [Int: ProtobufField], _ place: String
  ) throws(Refusal) -> JSONValue? {
    var members: [String: JSONValue] = [:]
    for (number, value) in try fields(data) {
      guard let field = table[number] else {
        // Never lose what was meant: what is not known may only be nothing.
        guard value.isZero else { throw unsupported("field \(number) of \(place)") }
        continue
      }
      let name = field.name
      switch (field.shape, value) {
      case (.list(let shape), _):
        guard let element = try json(value, shape, "\(place).\(name)", isElement: true) else { continue }
        members[name] = .array((members[name]?.array ?? []) + [element])
      case (.map(let shape), .bytes(let entry)):
        var key = ""
        var content: JSONValue = ""
        for (part, value) in try fields(entry) {
          if part == 1, case .bytes(let bytes) = value { key = String(decoding: bytes, as: UTF8.self) }
          if part == 2 { content = try json(value, shape, "\(place).\(name)", isElement: true) ?? "" }
        }
        var map = members[name]?.object ?? [:]
        map[key] = content
        members[name] = .object(map)
      default:
        if let json = try json(value, field.shape, "\(place).\(name)", isElement: false) { members[name] = json }
      }
    }
    return nothing(if: members.isEmpty, else: .object(members))
  }

  private static func json(
    _ value: Value, _ shape: ProtobufShape, _ place: String, isElement: Bool
  ) throws(Refusal) -> JSONValue? {
    switch (shape, value) {
    case (.text, .bytes(let bytes)):
      return nothing(if: bytes.isEmpty && !isElement, else: .string(String(decoding: bytes, as: UTF8.self)))
    case (.bytes, .bytes(let bytes)): return .string(bytes.base64EncodedString())
    case (.number, .number(let number)): return nothing(if: number == 0, else: .integer(Int64(bitPattern: number)))
    case (.setNumber, .number(let number)): return .integer(Int64(bitPattern: number))
    case (.flag, .number(let number)): return nothing(if: number == 0, else: true)
    case (.setFlag, .number(let number)): return .bool(number != 0)
    case (.message(let table), .bytes(let bytes)):
      let object = try message(bytes, table, place)
      return nothing(if: object == nil && !isElement, else: object ?? [:])
    case (.ignored, _): return nil
    default: throw .badRequest("\(place) is not what protobuf of Kubernetes has there")
    }
  }

  /// Not `condition ? nil : value`, where `nil` would be JSON's.
  private static func nothing(if isNothing: Bool, else value: JSONValue) -> JSONValue? {
    if isNothing { return Optional.none }
    return value
  }

  /// The fields of a message, as they come.
  private static func fields(_ data: Data) throws(Refusal) -> [(Int, Value)] {
    let broken = Refusal.badRequest("the protobuf in the body is broken")
    var rest = data[...]
    func varint() throws(Refusal) -> UInt64 {
      var result: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard let byte = rest.popFirst() else { throw broken }
        result |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return result }
      }
      throw broken
    }
    var found: [(Int, Value)] = []
    while !rest.isEmpty {
      let key = try varint()
      let number = Int(key >> 3)
      switch key & 7 {
      case 0: found.append((number, .number(try varint())))
      case 2:
        let count = try varint()
        guard count <= rest.count else { throw broken }
        found.append((number, .bytes(Data(rest.prefix(Int(count))))))
        rest = rest.dropFirst(Int(count))
      default: throw broken
      }
    }
    return found
  }
}

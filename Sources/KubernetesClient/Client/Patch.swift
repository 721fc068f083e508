// Patches: changes to parts of an object that leave the rest, also what this program does not know of, as it is.
//
//     .merge(["metadata": ["annotations": [triggerAnnotation: nil]]])
//     .json([.test("/metadata/resourceVersion", "7"), .remove(["metadata", "annotations", triggerAnnotation])])

public import KubernetesModel

/// A change to an object.
public enum Patch: Sendable, Hashable {
  /// RFC 7396: members replace members, `null` removes, arrays are replaced whole.
  case merge(JSONValue)
  /// RFC 6902: operations in order, all or none. A `test` that fails refuses the whole patch.
  case json([JSONPatchOperation])
}

/// One step of a JSON patch.
public enum JSONPatchOperation: Sendable, Hashable {
  /// The patch is refused unless the value at the place is this one.
  case test(JSONPointer, JSONValue)
  /// Adds a member (or replaces it), or inserts an element; `-` as last part appends to an array.
  case add(JSONPointer, JSONValue)
  /// Replaces a value; refused when there is none.
  case replace(JSONPointer, JSONValue)
  /// Removes a value; refused when there is none.
  case remove(JSONPointer)
}

/// A place in a JSON document, RFC 6901.
///
/// As string literal it is the pointer's text, `"/spec/template"`. As array literal it is made of parts that may hold
/// any character: `["metadata", "annotations", "example.com/key"]` is `/metadata/annotations/example.com~1key`.
public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
  /// The pointer's text.
  public var description: String

  /// The place that the parts lead to, one level each.
  public init(_ parts: [String]) {
    description = parts.map { part in
      "/"
        + part.map { character in
          switch character {
          case "~": "~0"
          case "/": "~1"
          default: String(character)
          }
        }.joined()
    }.joined()
  }
}

extension JSONPointer: ExpressibleByArrayLiteral, ExpressibleByStringLiteral {
  /// The place that the parts lead to.
  public init(arrayLiteral elements: String...) { self.init(elements) }
  /// The place that the pointer's text names.
  public init(stringLiteral value: String) { description = value }
}

extension Patch: Encodable {
  /// Encodes the patch's body.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .merge(let document): try document.encode(to: encoder)
    case .json(let operations): try operations.encode(to: encoder)
    }
  }

  /// The media type that tells the server which kind of patch it gets.
  var contentType: String {
    switch self {
    case .merge: "application/merge-patch+json"
    case .json: "application/json-patch+json"
    }
  }
}

extension JSONPatchOperation: Encodable {
  private enum Key: String, CodingKey { case op, path, value }

  /// Encodes one operation object.
  public func encode(to encoder: any Encoder) throws {
    let (name, pointer, value): (String, JSONPointer, JSONValue?) =
      switch self {
      case .test(let pointer, let value): ("test", pointer, value)
      case .add(let pointer, let value): ("add", pointer, value)
      case .replace(let pointer, let value): ("replace", pointer, value)
      case .remove(let pointer): ("remove", pointer, nil)
      }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .op)
    try container.encode(pointer.description, forKey: .path)
    try container.encodeIfPresent(value, forKey: .value)
  }
}

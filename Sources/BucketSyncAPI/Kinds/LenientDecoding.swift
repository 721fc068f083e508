// Decoding that never gives up on an object because of one odd field.
//
// The API server checks objects against the CRD's schema, but a schema of an older release may have let something
// else in, and a status may have been written by anything. A field that cannot be read counts as absent; of a list,
// the elements that can be read are kept.

import KubernetesModel

extension KeyedDecodingContainer {
  /// The field's value, or `nil` when it is missing, `null` or of another shape.
  func lenient<Value: Decodable>(_ key: Key) -> Value? {
    (try? decodeIfPresent(Value.self, forKey: key)) ?? nil
  }

  /// The elements of the field that can be read, or `nil` when it is missing, `null` or no list.
  func lenientList<Element: Decodable>(_ key: Key) -> [Element]? {
    let elements: [Lenient<Element>]? = (try? decodeIfPresent([Lenient<Element>].self, forKey: key)) ?? nil
    return elements?.compactMap(\.value)
  }
}

/// A value, if it can be read as one.
private struct Lenient<Value: Decodable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) throws {
    value = try? Value(from: decoder)
  }
}

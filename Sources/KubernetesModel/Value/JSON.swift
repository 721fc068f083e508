// JSON: the one place where JSON bytes become values and back.
//
// Everything else goes through these two functions, so that the implementation (Foundation's coders today) can be
// exchanged for a faster one without touching a caller. Keys are sorted, which makes output comparable byte by byte.

public import FoundationEssentials

/// JSON bytes to values and back.
public enum JSON {
  /// Decodes one JSON document.
  /// - Throws: `DecodingError`, whose coding path names the field that does not fit.
  public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
    try JSONDecoder().decode(type, from: data)
  }

  /// Encodes a value with sorted keys and unescaped slashes.
  /// - Throws: `EncodingError` if the value cannot be expressed in JSON.
  public static func encode(_ value: some Encodable, pretty: Bool = false) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }
}

// YAML: the one place where YAML text becomes JSON values. libyaml parses, YAMLScalar gives plain scalars their
// types, this file builds the values.
//
//     let documents = try YAML.documents(in: text)      // one per `---`
//     try YAML.placedDocuments(in: text)[0].place(of: "spec.source")?.line
//
// YAML 1.2 core schema; mappings have scalar keys, each once; anchors and aliases work within bounds; there are no
// merge keys.

package import KubernetesModel

/// YAML text to JSON values.
package enum YAML {
  /// All documents of `text`, in order; empty ones count as `null`.
  package static func documents(in text: String) throws(YAMLError) -> [JSONValue] {
    var loader = YAMLLoader(events: try YAMLEvents(text))
    return try loader.documents().map(\.value)
  }

  /// As ``documents(in:)``, and where in the text everything is.
  package static func placedDocuments(in text: String) throws(YAMLError) -> [YAMLDocument] {
    var loader = YAMLLoader(events: try YAMLEvents(text), keepsPlaces: true)
    return try loader.documents()
  }

  /// The one document of `text`; no document at all is `null`.
  package static func document(in text: String) throws(YAMLError) -> JSONValue {
    let all = try documents(in: text)
    guard all.count <= 1 else { throw YAMLError("one document was expected, not \(all.count)", at: nil) }
    return all.first ?? .null
  }
}

/// A place in a text, counted from 1.
package struct YAMLPlace: Sendable, Hashable {
  package var line: Int
  package var column: Int
}

/// What is wrong with a YAML text, and where.
package struct YAMLError: Error, Hashable, CustomStringConvertible {
  package var message: String
  package var place: YAMLPlace?

  init(_ message: String, at place: YAMLPlace?) {
    self.message = message
    self.place = place
  }

  /// `line 3, column 5: …`
  package var description: String {
    place.map { "line \($0.line), column \($0.column): \(message)" } ?? message
  }
}

/// Builds values from events.
private struct YAMLLoader {
  /// Nothing that people write is deeper; recursion ends before the stack does.
  private static let deepest = 100
  /// How much aliases may repeat, in values: more is an attack ("billion laughs").
  private static let mostRepeated = 100_000

  private struct Anchored {
    var value: JSONValue
    /// How many values it is made of.
    var size: Int
  }

  private let events: YAMLEvents
  private let keepsPlaces: Bool
  /// Where the present document's values are, by path.
  private var places: [String: YAMLPlace] = [:]
  private var anchors: [String: Anchored] = [:]
  private var repeated = 0
  /// Values built so far, to know an anchored value's size by difference.
  private var built = 0

  init(events: YAMLEvents, keepsPlaces: Bool = false) {
    self.events = events
    self.keepsPlaces = keepsPlaces
  }

  mutating func documents() throws(YAMLError) -> [YAMLDocument] {
    var documents: [YAMLDocument] = []
    while true {
      switch try events.next().kind {
      case .documentStart:
        anchors = [:]
        places = [:]
        let first = try events.next()
        if keepsPlaces { places[""] = first.place }
        let value = try value(startingWith: first, depth: 0, path: "")
        documents.append(YAMLDocument(value: value, places: places))
      case .end:
        return documents
      default:
        break
      }
    }
  }

  private mutating func value(
    startingWith event: YAMLEvents.Event, depth: Int, path: String
  ) throws(YAMLError) -> JSONValue {
    guard depth < Self.deepest else { throw YAMLError("nested too deeply", at: event.place) }
    let before = built
    built += 1
    let value: JSONValue
    switch event.kind {
    case .alias(let name):
      // An anchor whose value is still being built is unknown here, so nothing can contain itself.
      guard let anchored = anchors[name] else { throw YAMLError("no anchor &\(name) before *\(name)", at: event.place) }
      repeated += anchored.size
      built += anchored.size
      guard repeated <= Self.mostRepeated else { throw YAMLError("aliases repeat too much", at: event.place) }
      return anchored.value
    case .scalar(let scalar):
      value = try scalar.value(at: event.place)
    case .sequenceStart:
      value = try sequence(depth: depth, path: path)
    case .mappingStart:
      value = try mapping(depth: depth, path: path)
    default:
      throw YAMLError("a value was expected", at: event.place)
    }
    if let anchor = event.anchor { anchors[anchor] = Anchored(value: value, size: built - before) }
    return value
  }

  private mutating func sequence(depth: Int, path: String) throws(YAMLError) -> JSONValue {
    var elements: [JSONValue] = []
    while true {
      let event = try events.next()
      if case .sequenceEnd = event.kind { return .array(elements) }
      let inner = keepsPlaces ? "\(path)[\(elements.count)]" : ""
      if keepsPlaces { places[inner] = event.place }
      elements.append(try value(startingWith: event, depth: depth + 1, path: inner))
    }
  }

  private mutating func mapping(depth: Int, path: String) throws(YAMLError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    while true {
      let event = try events.next()
      let key: String
      switch event.kind {
      case .mappingEnd: return .object(members)
      case .scalar(let scalar): key = scalar.text
      default: throw YAMLError("the key of a mapping must be plain text", at: event.place)
      }
      guard members[key] == nil else { throw YAMLError("the key \(key) is there twice", at: event.place) }
      let inner = keepsPlaces ? path.isEmpty ? key : "\(path).\(key)" : ""
      if keepsPlaces { places[inner] = event.place }
      members[key] = try value(startingWith: try events.next(), depth: depth + 1, path: inner)
    }
  }
}

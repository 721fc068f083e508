// YAML: the one place where YAML text becomes JSON values. libyaml parses, YAMLScalar gives plain scalars their
// types, this file builds the values.
//
//     let documents = try YAML.documents(in: text)      // one per `---`
//
// YAML 1.2 core schema; mappings have scalar keys, each once; anchors and aliases work within bounds; there are no
// merge keys.

package import KubernetesModel

/// YAML text to JSON values.
package enum YAML {
  /// All documents of `text`, in order; empty ones count as `null`.
  package static func documents(in text: String) throws(YAMLError) -> [JSONValue] {
    var loader = YAMLLoader(events: try YAMLEvents(text))
    return try loader.documents()
  }

  /// The one document of `text`; no document at all is `null`.
  package static func document(in text: String) throws(YAMLError) -> JSONValue {
    let all = try documents(in: text)
    guard all.count <= 1 else { throw YAMLError("one document was expected, not \(all.count)", at: nil) }
    return all.first ?? .null
  }
}

/// What is wrong with a YAML text, and where.
package struct YAMLError: Error, Hashable, CustomStringConvertible {
  /// A place in the text, counted from 1.
  package struct Place: Sendable, Hashable {
    package var line: Int
    package var column: Int
  }

  package var message: String
  package var place: Place?

  init(_ message: String, at place: Place?) {
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
  private var anchors: [String: Anchored] = [:]
  private var repeated = 0
  /// Values built so far, to know an anchored value's size by difference.
  private var built = 0

  init(events: YAMLEvents) { self.events = events }

  mutating func documents() throws(YAMLError) -> [JSONValue] {
    var documents: [JSONValue] = []
    while true {
      switch try events.next().kind {
      case .documentStart:
        anchors = [:]
        documents.append(try value(startingWith: try events.next(), depth: 0))
      case .end:
        return documents
      default:
        break
      }
    }
  }

  private mutating func value(startingWith event: YAMLEvents.Event, depth: Int) throws(YAMLError) -> JSONValue {
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
      value = try sequence(depth: depth)
    case .mappingStart:
      value = try mapping(depth: depth)
    default:
      throw YAMLError("a value was expected", at: event.place)
    }
    if let anchor = event.anchor { anchors[anchor] = Anchored(value: value, size: built - before) }
    return value
  }

  private mutating func sequence(depth: Int) throws(YAMLError) -> JSONValue {
    var elements: [JSONValue] = []
    while true {
      let event = try events.next()
      if case .sequenceEnd = event.kind { return .array(elements) }
      elements.append(try value(startingWith: event, depth: depth + 1))
    }
  }

  private mutating func mapping(depth: Int) throws(YAMLError) -> JSONValue {
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
      members[key] = try value(startingWith: try events.next(), depth: depth + 1)
    }
  }
}

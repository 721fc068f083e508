// libyaml's event API as Swift values.

import CYAML

/// The events of a YAML text, one after the other.
final class YAMLEvents {
  struct Event {
    enum Kind {
      case documentStart
      case alias(String)
      case scalar(YAMLScalar)
      case sequenceStart
      case sequenceEnd
      case mappingStart
      case mappingEnd
      /// No more events.
      case end
      /// Of no interest.
      case other
    }

    var kind: Kind
    /// The name of the anchor set here.
    var anchor: String?
    var place: YAMLPlace
  }

  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  /// libyaml reads from here until the end.
  private let text: UnsafeMutableBufferPointer<UInt8>

  init(_ text: String) throws(YAMLError) {
    self.text = .allocate(capacity: text.utf8.count)
    _ = self.text.initialize(from: text.utf8)
    parser.initialize(to: yaml_parser_t())
    guard yaml_parser_initialize(parser) == 1 else { throw YAMLError("out of memory", at: nil) }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, self.text.baseAddress, self.text.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    text.deallocate()
  }

  func next() throws(YAMLError) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
    defer { yaml_event_delete(&event) }
    let place = YAMLPlace(event.start_mark)
    switch event.type {
    case YAML_DOCUMENT_START_EVENT:
      return Event(kind: .documentStart, place: place)
    case YAML_ALIAS_EVENT:
      return Event(kind: .alias(String(event.data.alias.anchor) ?? ""), place: place)
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      let kind = Event.Kind.scalar(
        YAMLScalar(
          text: String(decoding: text, as: UTF8.self),
          isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
          tag: String(scalar.tag)
        )
      )
      return Event(kind: kind, anchor: String(scalar.anchor), place: place)
    case YAML_SEQUENCE_START_EVENT:
      try checkTag(event.data.sequence_start.tag, is: "tag:yaml.org,2002:seq", at: place)
      return Event(kind: .sequenceStart, anchor: String(event.data.sequence_start.anchor), place: place)
    case YAML_SEQUENCE_END_EVENT:
      return Event(kind: .sequenceEnd, place: place)
    case YAML_MAPPING_START_EVENT:
      try checkTag(event.data.mapping_start.tag, is: "tag:yaml.org,2002:map", at: place)
      return Event(kind: .mappingStart, anchor: String(event.data.mapping_start.anchor), place: place)
    case YAML_MAPPING_END_EVENT:
      return Event(kind: .mappingEnd, place: place)
    case YAML_STREAM_END_EVENT, YAML_NO_EVENT:
      return Event(kind: .end, place: place)
    default:
      return Event(kind: .other, place: place)
    }
  }

  private func checkTag(
    _ tag: UnsafeMutablePointer<yaml_char_t>?,
    is expected: String,
    at place: YAMLPlace
  ) throws(YAMLError) {
    guard let tag = String(tag), tag != "!", tag != expected else { return }
    throw YAMLError("the tag \(tag) is not supported", at: place)
  }

  private func failure() -> YAMLError {
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "unreadable"
    let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
    return YAMLError(problem + context, at: YAMLPlace(parser.pointee.problem_mark))
  }
}

extension YAMLPlace {
  fileprivate init(_ mark: yaml_mark_t) {
    self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }
}

extension String {
  fileprivate init?(_ text: UnsafeMutablePointer<yaml_char_t>?) {
    guard let text else { return nil }
    self.init(cString: text)
  }
}

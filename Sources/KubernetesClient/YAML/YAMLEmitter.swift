// JSON values to YAML text, in the style of kubectl: keys sorted, block style, quotes where a reader of YAML 1.1 or 1.2
// might take a text for something else.

import CYAML
package import KubernetesModel

extension YAML {
  /// `value` as a YAML document, without `---`.
  package static func text(of value: JSONValue) -> String { YAMLEmitter().text(of: value) }
}

/// Feeds libyaml's emitter.
private final class YAMLEmitter {
  private let emitter = UnsafeMutablePointer<yaml_emitter_t>.allocate(capacity: 1)
  private var output: [UInt8] = []

  init() {
    emitter.initialize(to: yaml_emitter_t())
    _ = yaml_emitter_initialize(emitter)
    yaml_emitter_set_unicode(emitter, 1)
    yaml_emitter_set_width(emitter, -1)
    yaml_emitter_set_indent(emitter, 2)
  }

  deinit {
    yaml_emitter_delete(emitter)
    emitter.deallocate()
  }

  func text(of value: JSONValue) -> String {
    yaml_emitter_set_output(
      emitter,
      { context, bytes, count in
        guard let context, let bytes else { return 0 }
        Unmanaged<YAMLEmitter>.fromOpaque(context).takeUnretainedValue().output.append(
          contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        return 1
      }, Unmanaged.passUnretained(self).toOpaque())
    emit { yaml_stream_start_event_initialize(&$0, YAML_UTF8_ENCODING) }
    emit { yaml_document_start_event_initialize(&$0, nil, nil, nil, 1) }
    append(value)
    emit { yaml_document_end_event_initialize(&$0, 1) }
    emit { yaml_stream_end_event_initialize(&$0) }
    _ = yaml_emitter_flush(emitter)
    return String(decoding: output, as: UTF8.self)
  }

  private func append(_ value: JSONValue) {
    switch value {
    case .null: scalar("null")
    case .bool(let bool): scalar(bool ? "true" : "false")
    case .integer(let integer): scalar("\(integer)")
    case .number(let number): scalar("\(number)")
    case .string(let text): string(text)
    case .array(let elements):
      let style = elements.isEmpty ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
      emit { yaml_sequence_start_event_initialize(&$0, nil, nil, 1, style) }
      for element in elements { append(element) }
      emit { yaml_sequence_end_event_initialize(&$0) }
    case .object(let members):
      let style = members.isEmpty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
      emit { yaml_mapping_start_event_initialize(&$0, nil, nil, 1, style) }
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        string(key)
        append(member)
      }
      emit { yaml_mapping_end_event_initialize(&$0) }
    }
  }

  private func string(_ text: String) {
    if text.contains("\n"), !text.contains("\t"), text.last != " " {
      scalar(text, YAML_LITERAL_SCALAR_STYLE)
    } else {
      scalar(text, Self.isPlain(text) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE)
    }
  }

  /// Whether nobody takes the text for anything else: it starts with a letter, a slash or a dash with a letter behind,
  /// and is no word for a boolean or null. What YAML's grammar then forbids, libyaml quotes by itself.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.first else { return false }
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"]
    return (first.isLetter || first == "/" || text.hasPrefix("--")) && !words.contains(text.lowercased())
      && text.allSatisfy { $0.isLetter || $0.isNumber || "-_./:=,@+% ".contains($0) } && text != "---"
  }

  private func scalar(_ text: String, _ style: yaml_scalar_style_t = YAML_PLAIN_SCALAR_STYLE) {
    var bytes = Array(text.utf8)
    emit { event in
      yaml_scalar_event_initialize(&event, nil, nil, &bytes, Int32(bytes.count), 1, 1, style)
    }
  }

  private func emit(_ initialize: (inout yaml_event_t) -> Int32) {
    var event = yaml_event_t()
    guard initialize(&event) == 1 else { return }
    _ = yaml_emitter_emit(emitter, &event)
  }
}

// A document of a YAML text, with the places of its values: for messages that name file and line.

package import KubernetesModel

/// One document of a text.
package struct YAMLDocument: Sendable, Hashable {
  package var value: JSONValue
  /// Where each value is, or rather its key: `spec.sourceEnv[0].name`. The document itself is at `""`.
  ///
  /// What an alias (`*name`) stands for is at the alias.
  package var places: [String: YAMLPlace]

  package init(value: JSONValue, places: [String: YAMLPlace] = [:]) {
    self.value = value
    self.places = places
  }

  /// Where the document starts, comments in front not counted.
  package var start: YAMLPlace? { places[""] }

  /// Where `path` is; when there is no such value, where the one is that should have it.
  ///
  /// Paths are written as the API server writes them; the key of a map may come in brackets:
  /// `metadata.annotations[example.com/key]`.
  package func place(of path: String) -> YAMLPlace? {
    var path = Substring(path)
    while true {
      if let place = places[String(path)] ?? places[Self.plain(path)] { return place }
      guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return start }
      path = path[..<end]
    }
  }

  /// The path with keys in brackets written as members: `data[KEY]` is `data.KEY`.
  private static func plain(_ path: Substring) -> String {
    guard path.hasSuffix("]"), let open = path.lastIndex(of: "[") else { return String(path) }
    let key = path[path.index(after: open)...].dropLast().drop { $0 == "\"" || $0 == "'" }
    return "\(path[..<open]).\(key.prefix { $0 != "\"" && $0 != "'" })"
  }
}

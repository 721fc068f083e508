// A part of a kubeconfig that knows where it stands, so that every error can say it.

import FoundationEssentials
import KubernetesModel

/// A mapping in a kubeconfig file.
struct KubeconfigEntry {
  /// The file.
  let path: String
  /// Where in the file, `users[name=x].user`.
  let place: String
  let value: JSONValue

  /// An error about the member `name`.
  func error(_ name: String?, _ problem: String) -> ConfigurationError {
    let full = [place, name ?? ""].filter { !$0.isEmpty }.joined(separator: ".")
    return ConfigurationError("\(path): \(full): \(problem)")
  }

  // MARK: Members

  /// A text that is there and not empty.
  func string(_ name: String) throws(ConfigurationError) -> String? {
    switch value[name] {
    case .null: return nil
    case .string(let text): return text.isEmpty ? nil : text
    default: throw error(name, "this must be text: put it in quotes")
    }
  }

  func bool(_ name: String) throws(ConfigurationError) -> Bool {
    switch value[name] {
    case .null: return false
    case .bool(let value): return value
    default: throw error(name, "this must be true or false")
    }
  }

  func mapping(_ name: String) throws(ConfigurationError) -> KubeconfigEntry? {
    switch value[name] {
    case .null: return nil
    case .object:
      return KubeconfigEntry(path: path, place: place.isEmpty ? name : "\(place).\(name)", value: value[name])
    default: throw error(name, "this must be a mapping")
    }
  }

  func sequence(_ name: String) throws(ConfigurationError) -> [KubeconfigEntry] {
    switch value[name] {
    case .null: return []
    case .array(let elements):
      let base = place.isEmpty ? name : "\(place).\(name)"
      return elements.enumerated().map { KubeconfigEntry(path: path, place: "\(base)[\($0)]", value: $1) }
    default: throw error(name, "this must be a list")
    }
  }

  /// The named entries of the list `list`, each `{name: …, holding: {…}}`; the first of a name wins.
  func named(_ list: String, holding member: String) throws(ConfigurationError) -> [String: KubeconfigEntry] {
    var entries: [String: KubeconfigEntry] = [:]
    for element in try sequence(list) {
      guard let name = try element.string("name") else {
        throw element.error("name", "is missing: every one of \(list) has a name")
      }
      let entry = KubeconfigEntry(path: path, place: "\(list)[name=\(name)]", value: element.value)
      guard entries[name] == nil else { continue }
      // `cluster: {}` and `cluster:` are the same.
      let empty = KubeconfigEntry(path: path, place: "\(entry.place).\(member)", value: [:])
      entries[name] = try entry.mapping(member) ?? empty
    }
    return entries
  }

  // MARK: Data that is inline or in a file

  /// The bytes of `NAME-data` (base64), or else of the file that `NAME` names.
  func data(_ name: String) throws(ConfigurationError) -> Data? {
    let inline = "\(name)-data"
    if let text = try string(inline) {
      let joined = text.filter { !$0.isWhitespace }
      guard let data = Data(base64Encoded: joined) else {
        throw error(inline, "this is not base64: take the value over whole, or name a file in \(name)")
      }
      return data
    }
    guard let file = try file(name) else { return nil }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw error(name, "the file \(file) cannot be read: create it, or put its content into \(inline)")
    }
    return data
  }

  /// As ``data(_:)``, for PEM.
  func pem(_ name: String) throws(ConfigurationError) -> Data? {
    guard let data = try data(name) else { return nil }
    guard data.looksLikePEM else {
      let member = try string("\(name)-data") == nil ? name : "\(name)-data"
      throw error(member, "this is no PEM (-----BEGIN …): convert it, or name another file")
    }
    return data
  }

  /// The path that member `name` holds, relative to the kubeconfig's folder.
  func file(_ name: String) throws(ConfigurationError) -> String? {
    try string(name).map { KubeconfigEntry.resolve($0, beside: path) }
  }

  static func resolve(_ file: String, beside path: String) -> String {
    guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
    return path[...slash] + file
  }
}

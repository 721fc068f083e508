// What merge patches (RFC 7386) and JSON patches (RFC 6902) do to a document.

package import KubernetesModel

extension JSONValue {
  /// This document after a merge patch.
  package func merged(with patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members = object ?? [:]
    for (key, change) in changes {
      if change.isNull {
        members.removeValue(forKey: key)
      } else {
        members[key] = (members[key] ?? .null).merged(with: change)
      }
    }
    return .object(members)
  }

  /// This document after a JSON patch: all operations, or a refusal.
  func patched(with operations: JSONValue) throws(Refusal) -> JSONValue {
    guard let operations = operations.array else { throw Refusal(400, "BadRequest", "a JSON patch is an array") }
    var document = self
    for operation in operations {
      let parts = (operation["path"].string ?? "").split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        .map { String($0).replacing("~1", with: "/").replacing("~0", with: "~") }
      document = try document.applying(operation["op"].string ?? "", at: parts[...], operation["value"])
    }
    return document
  }

  private func applying(
    _ verb: String, at path: ArraySlice<String>, _ value: JSONValue
  ) throws(Refusal) -> JSONValue {
    guard let part = path.first else {
      if verb == "test", self != value { throw Refusal.invalid("the server rejected our request: test failed") }
      return verb == "test" ? self : value
    }
    let rest = path.dropFirst()
    switch self {
    case .array(var elements):
      if part == "-", verb == "add", rest.isEmpty { return .array(elements + [value]) }
      guard let index = Int(part), index >= 0, index < elements.count || (verb == "add" && index == elements.count)
      else { throw Refusal.invalid("no element \(part)") }
      switch (verb, rest.isEmpty) {
      case ("add", true): elements.insert(value, at: index)
      case ("remove", true): elements.remove(at: index)
      default: elements[index] = try elements[index].applying(verb, at: rest, value)
      }
      return .array(elements)
    case .object(var members):
      switch (verb, rest.isEmpty) {
      case ("add", true): members[part] = value
      case ("remove", true):
        guard members.removeValue(forKey: part) != nil else { throw Refusal.invalid("no member \(part)") }
      default:
        guard let member = members[part] else { throw Refusal.invalid("no member \(part)") }
        members[part] = try member.applying(verb, at: rest, value)
      }
      return .object(members)
    default:
      throw Refusal.invalid("\(part) lies in no object")
    }
  }
}

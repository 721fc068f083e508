// JSONFragment: comparing a document with the part of it that somebody wants.
//
// Of an object only the wanted members count; `null` wants that there is none. In lists of things with names
// (containers, variables) the wanted ones are found by name; all other lists must be equal.

internal import FoundationEssentials
internal import KubernetesModel

enum JSONFragment {
  /// What is not as wanted, each with its path.
  static func differences(_ wanted: JSONValue, _ got: JSONValue, _ path: String) -> [String] {
    switch (wanted, got) {
    case (.object(let members), .object):
      return members.sorted { $0.key < $1.key }.flatMap { differences($1, got[$0], "\(path).\($0)") }
    case (.array(let elements), .array(let others)):
      let names = elements.map { $0["name"].string }
      guard !elements.isEmpty, names.allSatisfy({ $0 != nil }) else { break }
      return elements.flatMap { element in
        let name = element["name"].string ?? ""
        let other = others.first { $0["name"].string == name } ?? .null
        return differences(element, other, "\(path)[\(name)]")
      }
    default: break
    }
    return wanted == got ? [] : ["\(path)\n- \(text(wanted))\n+ \(text(got))"]
  }

  private static func text(_ value: JSONValue) -> String {
    if value.isNull { return "nothing" }
    return (try? JSON.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
  }
}

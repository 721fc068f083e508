// Fields that a file has and the server did not take: misspelt ones, above all.
//
// Newer servers say so themselves; older ones drop such fields without a word. What is compared is the answer to a
// write that was not stored.

import KubernetesModel

enum DroppedFields {
  /// The paths of what `written` has and `answer` has not, in order. Empty values may be left out by a server.
  static func paths(written: JSONValue, answer: JSONValue) -> [String] {
    var paths: [String] = []
    collect(written, answer, at: "", into: &paths)
    return paths
  }

  private static func collect(_ written: JSONValue, _ answer: JSONValue, at path: String, into paths: inout [String]) {
    switch (written, answer) {
    case (.object(let members), .object(let others)):
      for (name, member) in members.sorted(by: { $0.key < $1.key }) where !member.isZero {
        let inner = path.isEmpty ? name : name.contains(".") ? "\(path)[\(name)]" : "\(path).\(name)"
        // A Secret's text is there as data.
        guard inner != "stringData" else { continue }
        if let other = others[name] {
          collect(member, other, at: inner, into: &paths)
        } else {
          paths.append(inner)
        }
      }
    case (.array(let elements), .array(let others)) where elements.count == others.count:
      for (index, element) in elements.enumerated() {
        collect(element, others[index], at: "\(path)[\(index)]", into: &paths)
      }
    default: break
    }
  }
}

extension JSONValue {
  /// What Go's encoding of most types leaves out.
  fileprivate var isZero: Bool {
    switch self {
    case .null: true
    case .bool(let value): !value
    case .integer(let value): value == 0
    case .number(let value): value == 0
    case .string(let value): value.isEmpty
    case .array(let elements): elements.isEmpty
    case .object(let members): members.values.allSatisfy(\.isZero)
    }
  }
}

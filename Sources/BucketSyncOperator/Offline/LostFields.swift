// What somebody wrote into a manifest's spec and the operator would not see: misspelt fields, values of the wrong type.
//
// The API server refuses such a manifest, or drops the field. Where there is no server, somebody else has to tell:
//
//     parameters: {bwlimit: 10}     →  spec.parameters: is no field, or its value is of another type …
//     schedul: "@daily"             →  spec.schedul: is no field, …

internal import KubernetesModel

enum LostFields {
  /// A sentence about the first field of `written` that is not in `read`, which was made of it; `nil` if none is lost.
  static func problem(in written: JSONValue, read: JSONValue, at path: String) -> String? {
    switch (written, read) {
    case (.object(let members), .object(let others)):
      for (name, member) in members.sorted(by: { $0.key < $1.key }) where !member.isNull {
        if let problem = problem(in: member, read: others[name] ?? .null, at: "\(path).\(name)") { return problem }
      }
      return nil
    case (.array(let elements), .array(let others)) where elements.count == others.count:
      for (index, element) in elements.enumerated() {
        if let problem = problem(in: element, read: others[index], at: "\(path)[\(index)]") { return problem }
      }
      return nil
    default:
      guard written != read else { return nil }
      return "\(path): is no field, or its value is of another type; "
        + "text that looks like a number or a boolean needs quotes"
    }
  }
}

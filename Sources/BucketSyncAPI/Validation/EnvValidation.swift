// Checks of `sourceEnv` and `destinationEnv`.
//
// The CRD does not make the lists maps by name, although that would refuse duplicates early: an object that was stored
// with duplicates before could then not even take a status that says so. So duplicates are found here.

import KubernetesModel

enum EnvValidation {
  /// Problems of the variables in `field`. Values do not appear in them.
  static func problems(in variables: [EnvVar], field: String) -> [FieldProblem] {
    var problems: [FieldProblem] = []
    var seen: [String: Int] = [:]
    for (index, variable) in variables.enumerated() {
      let place = "\(field)[\(index)]"
      if let message = nameProblem(variable.name, earlier: seen[variable.name], field: field) {
        problems.append(FieldProblem(field: "\(place).name", message: message))
      }
      if let message = valueProblem(variable) {
        problems.append(FieldProblem(field: "\(place).valueFrom", message: message))
      }
      seen[variable.name] = seen[variable.name] ?? index
    }
    return problems
  }

  private static func nameProblem(_ name: String, earlier: Int?, field: String) -> String? {
    if name.isEmpty { return "is empty; write the name of an rclone option such as TYPE" }
    if !isIdentifier(name) {
      return "\(name.debugDescription) is no name of a variable; use letters, digits and _ only, "
        + "and no digit in front"
    }
    return earlier.map { "\(name) is already set by \(field)[\($0)]; keep one of the two" }
  }

  private static func valueProblem(_ variable: EnvVar) -> String? {
    guard let source = variable.valueFrom else { return nil }
    if variable.value?.isEmpty == false { return "is set together with value; keep one of the two" }
    if source.object?.count == 1 { return nil }
    return "must have exactly one of secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef and fileKeyRef"
  }

  /// Whether `name` is a C identifier, what a shell and rclone take as the name of a variable.
  private static func isIdentifier(_ name: String) -> Bool {
    guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else { return false }
    return name.unicodeScalars.allSatisfy {
      ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
    }
  }
}

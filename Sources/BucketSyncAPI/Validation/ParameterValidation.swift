// Checks of `parameters`: what is a sensible name and size. What they mean is up to the scripts that read them.

import KubernetesModel

enum ParameterValidation {
  /// The longest value, in bytes.
  static let valueLimit = 4096

  /// Problems of `parameters`, by name. Values do not appear in them.
  static func problems(in parameters: [String: String], field: String) -> [FieldProblem] {
    parameters.sorted { $0.key < $1.key }.compactMap { name, value in
      problem(name, value).map { FieldProblem(field: "\(field)[\(name.debugDescription)]", message: $0) }
    }
  }

  private static func problem(_ name: String, _ value: String) -> String? {
    if !Naming.isLabelName(name) {
      return "the name is no parameter's; use letters, digits, -, _ and ., a letter or digit at both ends, "
        + "at most \(Naming.labelLimit) characters"
    }
    if value.utf8.count > valueLimit {
      return "the value has \(value.utf8.count) bytes; at most \(valueLimit) are taken"
    }
    return nil
  }
}

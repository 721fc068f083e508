// One thing that is wrong with a spec.

/// A field that cannot be used, and why.
public struct FieldProblem: Sendable, Hashable, CustomStringConvertible {
  /// The field's path, `spec.sourceEnv[2].name`.
  public let field: String
  /// What is wrong, and the way out. Never holds a literal value of an environment variable.
  public let message: String

  /// A problem with `field`.
  public init(field: String, message: String) {
    self.field = field
    self.message = message
  }

  public var description: String { "\(field): \(message)" }
}

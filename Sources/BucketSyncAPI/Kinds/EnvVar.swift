// Environment variables as Kubernetes has them. Where a value comes from is passed on to the Job's container as it is,
// so whatever the API server accepted arrives there, today's shapes and tomorrow's.

public import KubernetesModel

/// `v1 EnvVar`.
public struct EnvVar: Sendable, Hashable, Codable {
  public var name: String
  /// A literal value; may be a secret, so it never belongs into messages or logs.
  public var value: String?
  /// A reference to a value elsewhere, untouched: `{"secretKeyRef": {"name": …, "key": …}}`.
  public var valueFrom: JSONValue?

  /// A variable with a literal value, or one with a reference.
  public init(name: String, value: String? = nil, valueFrom: JSONValue? = nil) {
    self.name = name
    self.value = value
    self.valueFrom = valueFrom
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    name = fields.lenient(.name) ?? ""
    value = fields.lenient(.value)
    valueFrom = fields.lenient(.valueFrom)
  }
}

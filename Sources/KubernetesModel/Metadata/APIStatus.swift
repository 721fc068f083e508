// The body of every refusal by the API server.

/// `metav1.Status`: why a request failed.
///
///     {"kind":"Status","status":"Failure","reason":"NotFound","code":404,
///      "message":"jobs.batch \"sync\" not found","details":{"name":"sync","kind":"jobs"}}
public struct APIStatus: Sendable, Hashable, Codable {
  /// What the failure was about.
  public struct Details: Sendable, Hashable, Codable {
    public var name: String?
    public var kind: String?
    public var causes: [Cause]?
    /// How long the server asks to wait, in seconds.
    public var retryAfterSeconds: Int?

    /// Details with just these parts.
    public init(
      name: String? = nil,
      kind: String? = nil,
      causes: [Cause]? = nil,
      retryAfterSeconds: Int? = nil
    ) {
      self.name = name
      self.kind = kind
      self.causes = causes
      self.retryAfterSeconds = retryAfterSeconds
    }
  }

  /// One of several causes, typically one invalid field.
  public struct Cause: Sendable, Hashable, Codable {
    public var reason: String?
    public var message: String?
    /// The field in question, `spec.schedule`.
    public var field: String?
  }

  /// The HTTP status code.
  public var code: Int?
  /// One CamelCase word for programs, `AlreadyExists`.
  public var reason: String?
  public var message: String?
  public var details: Details?

  /// A status with just these parts.
  public init(code: Int?, reason: String?, message: String?, details: Details? = nil) {
    self.code = code
    self.reason = reason
    self.message = message
    self.details = details
  }
}

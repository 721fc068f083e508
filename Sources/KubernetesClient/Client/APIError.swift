// What a request to the API server can end in besides success, as one typed error.

public import KubernetesModel

/// Why a request to Kubernetes failed.
public enum APIError: Error, Sendable, Hashable {
  /// The server answered with a refusal.
  case refused(APIStatus, request: String)
  /// No answer arrived. With `mayHaveApplied` the write may have taken effect nevertheless.
  case unreachable(String, mayHaveApplied: Bool)
  /// The answer could not be read as what was asked for.
  case malformed(String)
  /// The task was cancelled.
  case cancelled
}

extension APIError {
  /// The HTTP status code of a refusal.
  public var statusCode: Int? {
    if case .refused(let status, _) = self { status.code } else { nil }
  }

  /// The machine-readable reason of a refusal, `AlreadyExists`.
  public var reason: String? {
    if case .refused(let status, _) = self { status.reason } else { nil }
  }

  /// The object, or the resource type itself, does not exist.
  public var isNotFound: Bool { statusCode == 404 }
  /// The object to be created exists.
  public var isAlreadyExists: Bool { statusCode == 409 && reason == "AlreadyExists" }
  /// The object changed meanwhile, or a precondition does not hold.
  public var isConflict: Bool { statusCode == 409 && reason != "AlreadyExists" }
  /// The resource version is too old to watch or list from.
  public var isExpired: Bool { statusCode == 410 }
  /// The credentials do not allow this.
  public var isForbidden: Bool { statusCode == 403 }
  /// Trying again may help without anybody doing anything.
  public var isPassing: Bool {
    guard let code = statusCode else { return true }
    return isConflict || code == 401 || code == 408 || code == 429 || code >= 500
  }
  /// The credentials were not accepted.
  public var isUnauthorized: Bool { statusCode == 401 }
  /// The object does not pass validation.
  public var isInvalid: Bool { statusCode == 422 }
  /// The namespace is going away, so nothing can be created in it.
  public var isNamespaceTerminating: Bool {
    guard case .refused(let status, _) = self, status.code == 403 else { return false }
    return status.details?.causes?.contains { $0.reason == "NamespaceTerminating" } ?? false
  }
  /// How long the server asks to wait before the next try.
  public var retryAfter: Duration? {
    guard case .refused(let status, _) = self else { return nil }
    return status.details?.retryAfterSeconds.map { .seconds($0) }
  }
}

extension APIError: CustomStringConvertible {
  /// One line: what was asked and what came back.
  public var description: String {
    switch self {
    case .refused(let status, let request):
      "\(request): \(status.message ?? status.reason ?? "status \(status.code ?? 0)")"
    case .unreachable(let why, _): why
    case .malformed(let why): why
    case .cancelled: "cancelled"
    }
  }
}

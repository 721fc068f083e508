// How an object is deleted, and on what conditions.

/// `metav1.DeleteOptions`.
///
/// With preconditions only the very object (`uid`), or even the very version of it (`resourceVersion`), that the
/// caller has seen is deleted; the answer is a conflict (`APIError.isConflict`) when it is another one by now.
public struct DeleteOptions: Sendable, Hashable {
  /// What becomes of the objects that the deleted one owns.
  public enum Propagation: String, Sendable, Hashable, Encodable {
    /// They are deleted after it.
    case background = "Background"
    /// They are deleted before it.
    case foreground = "Foreground"
    /// They are kept.
    case orphan = "Orphan"
  }

  public var uid: String?
  public var resourceVersion: String?
  /// `nil`: the type's default, which for Jobs is to orphan their pods.
  public var propagation: Propagation?
  public var gracePeriodSeconds: Int?

  /// Options; by default none.
  public init(
    uid: String? = nil,
    resourceVersion: String? = nil,
    propagation: Propagation? = nil,
    gracePeriodSeconds: Int? = nil
  ) {
    self.uid = uid
    self.resourceVersion = resourceVersion
    self.propagation = propagation
    self.gracePeriodSeconds = gracePeriodSeconds
  }
}

extension DeleteOptions: Encodable {
  private enum Key: String, CodingKey { case kind, apiVersion, preconditions, propagationPolicy, gracePeriodSeconds }
  private enum PreconditionKey: String, CodingKey { case uid, resourceVersion }

  /// Encodes `metav1.DeleteOptions`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("DeleteOptions", forKey: .kind)
    try container.encode("v1", forKey: .apiVersion)
    try container.encodeIfPresent(propagation, forKey: .propagationPolicy)
    try container.encodeIfPresent(gracePeriodSeconds, forKey: .gracePeriodSeconds)
    guard uid != nil || resourceVersion != nil else { return }
    var preconditions = container.nestedContainer(keyedBy: PreconditionKey.self, forKey: .preconditions)
    try preconditions.encodeIfPresent(uid, forKey: .uid)
    try preconditions.encodeIfPresent(resourceVersion, forKey: .resourceVersion)
  }
}

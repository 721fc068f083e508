// Conditions, as the Kubernetes API conventions define them.

/// `metav1.Condition`: one aspect of an object's state that people and `kubectl wait` can look at.
public struct Condition: Sendable, Hashable, Codable {
  /// `True`, `False` or `Unknown`.
  public enum Status: String, Sendable, Hashable, Codable {
    case yes = "True"
    case no = "False"
    case unknown = "Unknown"
  }

  /// CamelCase name, unique within the object.
  public var type: String
  public var status: Status
  /// `metadata.generation` that the condition speaks of.
  public var observedGeneration: Int64?
  /// When `status` last changed (not when reason or message did).
  public var lastTransitionTime: Timestamp
  /// CamelCase word for programs.
  public var reason: String
  /// Sentence for people.
  public var message: String

  /// A condition as it will be stored.
  public init(
    type: String, status: Status, observedGeneration: Int64? = nil, lastTransitionTime: Timestamp, reason: String,
    message: String
  ) {
    self.type = type
    self.status = status
    self.observedGeneration = observedGeneration
    self.lastTransitionTime = lastTransitionTime
    self.reason = reason
    self.message = message
  }
}

extension [Condition] {
  /// The condition of `type`.
  public subscript(type: String) -> Condition? { first { $0.type == type } }

  /// Puts `condition` in, keeping the old transition time when the status did not change.
  public mutating func set(_ condition: Condition) {
    guard let index = firstIndex(where: { $0.type == condition.type }) else {
      append(condition)
      return
    }
    var new = condition
    if self[index].status == condition.status { new.lastTransitionTime = self[index].lastTransitionTime }
    self[index] = new
  }
}

// Events, the sending side that reconcilers and plugins hold: telling people what happened to an object.
//
// Recording never blocks and never fails: an event goes into a bounded buffer, from which EventDelivery writes it to
// the API server when it can. Events are for people; nothing may depend on them.

public import KubernetesModel

/// Whether an event is good to know or calls for attention.
public enum EventType: String, Sendable, Hashable {
  case normal = "Normal"
  case warning = "Warning"
}

/// Tells people about objects, by events.
///
///     events.record(.warning, regarding: run.reference, reason: "JobFailed", action: "Sync", note: "exit code 3")
public struct EventRecorder: Sendable {
  private let buffer: EventBuffer

  package init(buffer: EventBuffer) { self.buffer = buffer }

  /// Tells of something that happened to `regarding`.
  /// - Parameters:
  ///   - reason: Why, one CamelCase word that programs can look for.
  ///   - action: What was done or failed to be done, one CamelCase word.
  ///   - note: A sentence for people; what goes beyond 1024 bytes is cut off.
  ///   - related: Another object that has to do with it.
  public func record(
    _ type: EventType,
    regarding: ObjectReference,
    reason: String,
    action: String,
    note: String,
    related: ObjectReference? = nil
  ) {
    buffer.append(
      Occurrence(type: type, regarding: regarding, reason: reason, action: action, note: note, related: related)
    )
  }
}

/// Something that happened, as it was recorded.
package struct Occurrence: Sendable, Hashable {
  package var type: EventType
  package var regarding: ObjectReference
  package var reason: String
  package var action: String
  package var note: String
  package var related: ObjectReference?
}

// postSync: tell others how a run went.
//
// - Expected flow: called once per run, after its Job has ended and its locks are released, whatever the outcome.
// - Guarantees: all hooks are called, also after one of them failed. What a hook returns is written by the core.
// - Assumptions: a hook takes at most 30 seconds; it is cancelled then.
// - Caveats: when the controller dies between a hook and the end of the run, the next controller calls it again.
// - Errors: reported in a Warning Event and in the run's notes; they change neither the outcome nor the release.

/// Acts on the outcome of a run.
public protocol PostSyncHook: Sendable {
  /// - Parameter outcome: How the run went.
  func postSync(_ run: RunContext, outcome: RunOutcome) async throws -> PostSyncReport
}

/// What a ``PostSyncHook`` leaves behind.
public struct PostSyncReport: Sendable, Hashable {
  /// An Event on the run.
  public struct Event: Sendable, Hashable {
    public var isWarning: Bool
    /// CamelCase word.
    public var reason: String
    /// Sentence for people.
    public var message: String

    /// Describes an Event.
    public init(isWarning: Bool = false, reason: String, message: String) {
      self.isWarning = isWarning
      self.reason = reason
      self.message = message
    }
  }

  /// Entries of the run's `status.notes`.
  public var notes: [String: String]
  public var events: [Event]
  /// Annotations for the run's policy, if it has one.
  public var policyAnnotations: [String: String]

  /// A report; empty unless told otherwise.
  public init(notes: [String: String] = [:], events: [Event] = [], policyAnnotations: [String: String] = [:]) {
    self.notes = notes
    self.events = events
    self.policyAnnotations = policyAnnotations
  }

  /// Adds what another hook reports; of notes and annotations of the same name the other's count.
  public mutating func add(_ other: PostSyncReport) {
    notes.merge(other.notes) { $1 }
    policyAnnotations.merge(other.policyAnnotations) { $1 }
    events += other.events
  }
}

// Sightings: how long something has been seen to last, on the monotonic clock.
//
// Times in objects tell more, for they outlive a restart; but wall clocks are set, and one that was set back must not make
// a run wait for a year (design.md section 7, L1).

import KubernetesModel
import Synchronization

/// Since when runs have been seen in some state.
final class Sightings: Sendable {
  /// What lasts.
  enum Subject: Hashable {
    /// No pod of the Job runs yet.
    case pending
    /// The Job has a deadline and works.
    case started
    /// The Job has ended, and a pod of it has not.
    case ended
    /// The Job is being deleted.
    case deleting
  }

  private let since = Mutex<[ObjectKey: [Subject: Duration]]>([:])

  /// How long it has been seen to last, from now on if it was not seen before.
  func elapsed(_ subject: Subject, of run: ObjectKey, at uptime: Duration) -> Duration {
    since.withLock { since in
      let start = since[run, default: [:]][subject] ?? uptime
      since[run, default: [:]][subject] = start
      return uptime - start
    }
  }

  /// It does not last any more.
  func forget(_ subject: Subject, of run: ObjectKey) { since.withLock { $0[run]?[subject] = nil } }

  /// The run has ended.
  func forget(_ run: ObjectKey) { since.withLock { $0[run] = nil } }
}

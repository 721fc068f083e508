// lock / unlock: exclusive use of the buckets of a run. There is exactly one provider.
//
// - Expected flow: `lock` once the Job is built; while it is `busy`, again whenever the provider reports a change
//   (`LockSignals`) or an older run leaves the line. `unlock` after the Job's pods have stopped.
// - Guarantees: the core keeps the line: it calls `lock` only for a run that no older run wanting one of its buckets
//   stands before, and never breaks a lock whose holder, its Job or a pod of it exists.
// - Assumptions: `lock` takes all of `run.buckets` or none, atomically against other controllers; a lock that the same
//   run (by UID) holds already counts as taken. `unlock` is idempotent, may be called without a lock, and removes only
//   locks of this very run.
// - Caveats: the controller may die between any two requests; what it left is found again by `heldLocks`.
// - Errors: a thrown error leaves the run where it is; the call is repeated with back-off. It must not take away what
//   the run held before because of trouble that passes: `lock` is also asked whether a run whose Job is about to be
//   created still holds its buckets.

/// Provides exclusive locks on buckets.
public protocol LockProvider: Sendable {
  /// Takes every bucket of the run, or none.
  func lock(_ run: RunContext) async throws -> LockResult

  /// Gives back whatever the run holds.
  func unlock(_ run: RunReference) async throws

  /// The lock called `name`, if it exists and is held by a run.
  func heldLock(_ name: String) -> HeldLock?

  /// The names of all locks that the run with `uid` holds, one a bucket: one that is missing while the run is at work
  /// is taken again.
  func locks(heldBy uid: String) -> [String]

  /// Removes a lock whose holder is gone, unless it has changed since `lock` was read.
  func remove(orphan lock: HeldLock) async throws
}

/// What an attempt to lock ends in.
public enum LockResult: Sendable, Hashable {
  /// Every bucket is this run's.
  case acquired
  /// Somebody else has one of them. `holder` is for people: `bucket "data" is locked by BucketSync default/nightly`.
  /// A provider that cannot notice the release (a foreign object stands in the way) names a time to look again.
  case busy(holder: String, lookAgainAfter: Duration? = nil)
}

/// A lock as a provider sees it.
public struct HeldLock: Sendable, Hashable {
  /// The provider's name of the lock.
  public var name: String
  /// The bucket it stands for.
  public var bucket: String
  /// The run that holds it.
  public var holder: RunReference
  /// Whatever the provider needs to remove exactly this state of the lock (a UID and resource version, say).
  public var token: String

  /// Describes a lock.
  public init(name: String, bucket: String, holder: RunReference, token: String) {
    self.name = name
    self.bucket = bucket
    self.holder = holder
    self.token = token
  }
}

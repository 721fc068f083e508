// RunLine: the order in which runs get at their buckets (design.md section 6).
//
// The oldest run goes first: no younger run overtakes an older one that wants either bucket. Since every run is
// compared with every other by the same total order, and a run that holds its locks always ends, nobody waits for ever.

import BucketSyncAPI
import KubernetesModel
import OperatorRuntime

/// The runs that wait for buckets, by age.
struct RunLine: Sendable {
  let runs: ObjectStore<BucketSync>

  /// The oldest run that stands before `run`, and the bucket both want.
  func runAhead(of run: BucketSync, wanting buckets: [String]) -> (run: BucketSync, bucket: String)? {
    for bucket in buckets {
      if let first = first(for: bucket), first.metadata.uid != run.metadata.uid, first.isOlder(than: run) {
        return (first, bucket)
      }
    }
    return nil
  }

  /// A run that is at work on one of the buckets, and that bucket.
  ///
  /// Its locks say so too, unless somebody has deleted them: locks are what controllers know of each other's runs, and no
  /// reason to forget about one's own.
  func runAtWork(on buckets: [String], besides run: BucketSync) -> (run: BucketSync, bucket: String)? {
    for bucket in buckets {
      let others = runs.objects(.bucket, bucket).lazy.filter { $0.metadata.uid != run.metadata.uid }
      if let other = others.first(where: \.isAtWork) { return (other, bucket) }
    }
    return nil
  }

  /// The run whose turn it is when `bucket` becomes free.
  func first(for bucket: String) -> BucketSync? {
    runs.objects(.bucket, bucket).lazy.filter(\.standsInLine).min { $0.isOlder(than: $1) }
  }

  /// The runs that may have something to do now that `change` has happened: those next in line for the buckets that
  /// a run holds or stands in line for no more.
  func runsToWake(after change: StoreChange<BucketSync>) -> [ObjectKey] {
    let left: BucketSync
    switch change {
    case .added: return []
    case .updated(let old, let new):
      let hasLeftLine = old.standsInLine && !new.standsInLine
      guard hasLeftLine || (old.isAtWork && !new.isAtWork) || (!old.isFinished && new.isFinished) else { return [] }
      left = old
    case .deleted(let old): left = old
    }
    return left.isFinished ? [] : left.buckets.compactMap { first(for: $0)?.key }
  }
}

extension BucketSync {
  /// Whether the run wants its buckets and does not have them yet. One that a plugin holds back, or whose Job cannot
  /// be built, lets others pass.
  var standsInLine: Bool {
    guard !metadata.isBeingDeleted else { return false }
    switch status?.phase {
    case nil, .initialize: return !isKeptByHooks
    default: return false
    }
  }

  /// Whether the run has its buckets, or should have. One whose finalizer somebody has taken off, so that nobody looks after
  /// its end, has them for as long as it has locks.
  var isAtWork: Bool {
    let isAbandoned = metadata.isBeingDeleted && metadata.finalizers?.contains(BucketSyncNames.finalizer) != true
    return !isWaiting && !isFinished && !isAbandoned
  }

  /// Whether a plugin holds the run back, or has failed.
  var isKeptByHooks: Bool {
    let reason = status?.conditions?[ConditionType.locksAcquired]?.reason
    return isWaiting && (reason == LocksReason.heldBack || reason == LocksReason.blocked)
  }

  /// A total order: creation time has whole seconds, so name and UID decide among equals.
  func isOlder(than other: BucketSync) -> Bool {
    let own = metadata.creationTimestamp ?? Timestamp(unixSeconds: .max)
    let others = other.metadata.creationTimestamp ?? Timestamp(unixSeconds: .max)
    if own != others { return own < others }
    if key != other.key { return key < other.key }
    return (metadata.uid ?? "") < (other.metadata.uid ?? "")
  }
}

/// Reasons of the condition `LocksAcquired`.
enum LocksReason {
  /// The locks are held.
  static let acquired = "Acquired"
  /// An older run, or the holder of a lock, is waited for.
  static let waiting = "WaitingForBucket"
  /// A pre-lock plugin asked to wait.
  static let heldBack = "HeldBack"
  /// A plugin failed; nothing happens until it works again.
  static let blocked = "Blocked"
  /// The run has ended, and its locks are released.
  static let released = "Released"
}

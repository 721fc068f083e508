// RunReconciler: carries one BucketSync from its creation to Finished. Start here to understand a run.
//
//              preLock, jobName, buildJob      the Job ends, fails          pods gone, unlock,
//              and lock all said yes           or cannot be created         postSync
//   Initialize ─────────────────────▶ Sync ─────────────────────▶ Finalize ───────────────▶ Finished
//        │                                                           ▲
//        └── the spec is wrong, a plugin rejects or skips ───────────┘      (deleted at any point: Finalize, then gone)
//
// Each phase is a file of its own. Every step can be repeated: the controller may die between any two requests, and
// the next one goes on from what is stored. What makes that safe:
//
//   - the Job's name is stored (phase Sync) before the Job is created, so a second attempt meets the first;
//   - the outcome is stored (phase Finalize) before the Job is deleted, so it cannot be lost;
//   - the locks are released only after the Job's pods have stopped, and before Finished is stored;
//   - a finalizer keeps a deleted run until all of that is done;
//   - a Job that appears after all of that, because the request that created it was held up, is deleted at once.

import BucketSyncAPI
import KubernetesClient
package import KubernetesModel
package import OperatorRuntime

/// Carries runs through their phases.
package struct RunReconciler: Sendable {
  let services: CoreServices
  let line: RunLine
  let sightings = Sightings()

  /// A reconciler of runs.
  package init(_ services: CoreServices) {
    self.services = services
    line = RunLine(runs: services.caches.runs)
  }

  /// Does what is due for the run at `key`.
  package func reconcile(_ key: ObjectKey) async throws -> Reconciliation {
    guard let run = services.caches.runs[key] else {
      sightings.forget(key)
      return .done
    }
    do {
      if run.isFinished {
        sightings.forget(key)
        try await deleteLateJob(of: run)
        return try await retire(run)
      }
      if run.metadata.isBeingDeleted { return try await cancel(run) }
      switch run.status?.phase {
      case nil, .initialize: return try await initialize(run)
      case .sync: return try await sync(run)
      case .finalize: return try await finalize(run)
      case .finished: return .done
      case .unknown(let text):
        let message = "status.phase \"\(text)\" is unknown; somebody else must have written it"
        return try await conclude(run, .failed(reason: "UnknownPhase", message: message))
      }
    } catch let error as APIError where error.isNotFound {
      guard services.caches.runs[key] != nil else { return .done }
      // The watch may tell of the run's end any moment, or have failed to.
      guard try await services.client.isGone(run, from: services.caches.runs) else { throw error }
      return .done
    }
  }

  /// How long something has lasted: by the wall clock, or as long as it has been seen to last, whichever is longer.
  func elapsed(_ what: Sightings.Subject, since start: Timestamp?, of run: BucketSync) -> Duration {
    max(
      sightings.elapsed(what, of: run.key, at: services.time.uptime),
      start?.elapsed(until: services.time.now) ?? .zero)
  }

  /// Writes the run's status.
  func write(_ run: BucketSync, _ change: (inout BucketSync.Status) -> Void) async throws(APIError) -> BucketSync {
    try await services.status.write(run, cache: services.caches.runs, change)
  }

  func record(_ run: BucketSync, _ type: EventType, reason: String, action: String, _ note: String) {
    services.tell(type, regarding: run.reference, reason: reason, action: action, note)
  }
}

extension BucketSync.Status {
  /// Sets a condition as of now. Reasons come from plugins and kubelets too: one that the API would refuse is replaced,
  /// so that no status is ever stuck on a word.
  mutating func set(
    _ type: String, _ status: Condition.Status, reason: String, message: String, at time: Timestamp
  ) {
    let isWord = Self.isReason(reason)
    var conditions = self.conditions ?? []
    conditions.set(
      Condition(
        type: type, status: status, observedGeneration: observedGeneration, lastTransitionTime: time,
        reason: isWord ? reason : "Other", message: message))
    self.conditions = conditions
  }

  /// The API's rule for reasons, which counts characters as the API server does, not as Swift does.
  private static func isReason(_ text: String) -> Bool {
    let letters = text.unicodeScalars
    guard let first = letters.first, let last = letters.last, letters.count <= 1024 else { return false }
    func isLetter(_ scalar: Unicode.Scalar) -> Bool { ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) }
    func isPart(_ scalar: Unicode.Scalar) -> Bool { isLetter(scalar) || ("0"..."9").contains(scalar) || scalar == "_" }
    return isLetter(first) && isPart(last) && letters.allSatisfy { isPart($0) || $0 == "," || $0 == ":" }
  }
}

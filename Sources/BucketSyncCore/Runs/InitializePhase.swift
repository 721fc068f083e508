// Phase Initialize: is the run sound, do the plugins agree, is it the run's turn, are its buckets free?
//
// Nothing here polls. A run that waits is woken when an older run leaves the line, when a lock is released, or after
// the time that a plugin named.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime

extension RunReconciler {
  /// Takes the run as far towards its Job as it can go now.
  func initialize(_ found: BucketSync) async throws -> Reconciliation {
    let run = try await withFinalizer(found)
    let context: RunContext
    do {
      context = try RunContext.resolve(run) { services.caches.policies[$0] }
    } catch {
      return try await conclude(run, .failed(reason: "InvalidSpec", message: error.message))
    }
    let plan: JobPlan
    do {
      switch try await services.plugins.preLock(context) {
      case .proceed: break
      case .wait(let reason, let delay):
        guard try await giveBackLeftovers(run) else { return .done }
        _ = try await wait(run, reason: LocksReason.heldBack, reason)
        return .again(after: delay)
      case .skip(let reason): return try await conclude(run, .skipped(message: reason))
      case .reject(let reason): return try await conclude(run, .failed(reason: "Rejected", message: reason))
      }
      plan = try await JobPlan.make(context, plugins: services.plugins, recordedName: nil)
    } catch let blocked as BlockedRun {
      guard try await giveBackLeftovers(run) else { return .done }
      try await block(run, blocked)
      throw blocked
    }
    return try await takeTurn(run, context, plan)
  }

  /// Locks the buckets if it is the run's turn, and goes on to phase Sync.
  private func takeTurn(_ run: BucketSync, _ context: RunContext, _ plan: JobPlan) async throws -> Reconciliation {
    // Who holds locks already (a crash or a conflict came in between) must not stand in line with them.
    let holdsLocks = !services.lock.locks(heldBy: context.reference.uid).isEmpty
    if !holdsLocks, let (older, bucket) = line.runAhead(of: run, wanting: context.buckets) {
      let message = "BucketSync \(older.key) is older and waits for bucket \"\(bucket)\" too"
      _ = try await wait(run, reason: LocksReason.waiting, message)
      return .done
    }
    if let (other, bucket) = line.runAtWork(on: context.buckets, besides: run) {
      _ = try await wait(run, reason: LocksReason.waiting, "bucket \"\(bucket)\" is locked by BucketSync \(other.key)")
      return .done
    }
    switch try await lock(context) {
    case .busy(let holder, let delay):
      _ = try await wait(run, reason: LocksReason.waiting, holder)
      return delay.map { .again(after: $0) } ?? .done
    case .acquired: break
    }
    let now = Timestamp(services.time.now)
    let locked: BucketSync
    do {
      locked = try await write(run) { status in
        status.phase = .sync
        status.job = plan.name
        status.startTime = status.startTime ?? now
        status.error = nil
        let buckets = context.buckets.map { "\"\($0)\"" }.joined(separator: " and ")
        status.set(
          BucketSync.ConditionType.locksAcquired, .yes, reason: LocksReason.acquired,
          message: "bucket \(buckets) locked", at: now)
      }
    } catch {
      // The run vanished without its finalizer, and has no Job yet: nobody else will release its locks in good time.
      if error.isNotFound { try await services.lock.unlock(context.reference) }
      throw error
    }
    services.metrics.locksAcquired(
      after: run.metadata.creationTimestamp.map { $0.elapsed(until: services.time.now) } ?? .zero)
    // Should the run vanish from here on, its locks stay until the clean-up has seen that no pod is left.
    return try await createJob(of: locked, plan)
  }

  /// Locks; a refusal by the API server is shown in the run's status before it is tried again.
  private func lock(_ context: RunContext) async throws -> LockResult {
    do {
      return try await services.lock.lock(context)
    } catch let error where !error.mayHealByItself {
      let plugin = services.plugins.lock?.plugin ?? ""
      try await block(context.run, BlockedRun(plugin: plugin, point: "lock", error: error))
      throw error
    }
  }

  /// Gives back the locks that an attempt which was cut short has left to a run that is to wait.
  /// - Returns: Whether the run is where the cache says. If not, its locks are kept: a cache that lags behind may show
  ///   a run waiting whose Job is at work already.
  private func giveBackLeftovers(_ run: BucketSync) async throws -> Bool {
    let reference = RunReference(run)
    guard !services.lock.locks(heldBy: reference.uid).isEmpty else { return true }
    let current = try await services.client.get(BucketSync.self, run.key)
    guard current.metadata.resourceVersion == run.metadata.resourceVersion else {
      services.caches.runs.record(current)
      return false
    }
    try await services.lock.unlock(reference)
    return true
  }

  /// Notes that the run waits, and what for.
  private func wait(_ run: BucketSync, reason: String, _ message: String) async throws -> BucketSync {
    let now = Timestamp(services.time.now)
    let isNews = run.status?.conditions?[BucketSync.ConditionType.locksAcquired]?.message != message
    let written = try await write(run) { status in
      status.phase = .initialize
      status.startTime = status.startTime ?? now
      status.error = nil
      status.set(BucketSync.ConditionType.locksAcquired, .no, reason: reason, message: message, at: now)
    }
    if isNews { record(run, .normal, reason: reason, action: "Lock", message) }
    return written
  }

  /// Notes that a plugin's failure keeps the run from going on.
  private func block(_ run: BucketSync, _ blocked: BlockedRun) async throws {
    services.metrics.pluginFailed(blocked.plugin, point: blocked.point)
    let now = Timestamp(services.time.now)
    let isNews = run.status?.error != blocked.description
    let message = "waiting until plugin \(blocked.plugin) works again; see status.error"
    _ = try await write(run) { status in
      status.phase = .initialize
      status.startTime = status.startTime ?? now
      status.error = blocked.description
      status.set(BucketSync.ConditionType.locksAcquired, .no, reason: LocksReason.blocked, message: message, at: now)
    }
    if isNews { record(run, .warning, reason: "PluginFailed", action: blocked.point, blocked.description) }
  }

  /// Makes sure that the run cannot vanish before its locks are released. Runs made by a policy come with the
  /// finalizer already.
  private func withFinalizer(_ run: BucketSync) async throws -> BucketSync {
    let finalizers = run.metadata.finalizers ?? []
    guard !finalizers.contains(BucketSyncNames.finalizer) else { return run }
    return try await setFinalizers(run, finalizers + [BucketSyncNames.finalizer])
  }
}

extension PluginRegistry {
  /// What the first pre-lock plugin decides that does not let the run proceed.
  /// - Throws: ``BlockedRun`` naming the plugin at fault.
  func preLock(_ context: RunContext) async throws -> PreLockResult {
    for entry in preLock {
      do {
        let result = try await entry.hook.preLock(context)
        if result != .proceed { return result }
      } catch {
        throw BlockedRun(plugin: entry.plugin, point: "preLock", error: error)
      }
    }
    return .proceed
  }
}

extension Error {
  /// Whether trying again may help without anybody doing anything.
  var mayHealByItself: Bool { (self as? APIError)?.isPassing ?? false }
}

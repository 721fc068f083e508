// Controllers: the three reconcilers, each with its queue, and what wakes them.
//
//   a policy changed, or a run of it           → PolicyReconciler, key: the policy
//   a run changed, its Job, a pod of it,
//   it is next in line for a bucket, or hooks
//   changed while they kept it waiting         → RunReconciler, key: the run
//   a lock changed, or its holder went away    → LockCleanup, key: the lock
//
// Everything is an event; timers are set only by reconciles that wait for a point in time.

import BucketSyncAPI
package import KubernetesModel
package import OperatorRuntime

/// The queues and controllers of bucket-sync.
package struct Controllers: Sendable {
  /// To be run on the leader.
  package let all: [Controller]

  /// Connects caches and signals to queues.
  package init(
    _ services: CoreServices, signals: LockSignals, metrics: MetricsRegistry, concurrency: Int,
    makeQueue: (String) -> WorkQueue<ObjectKey>
  ) {
    let policies = PolicyReconciler(services)
    let runs = RunReconciler(services)
    let locks = LockCleanup(services)
    let policyQueue = makeQueue("bucketsyncpolicy")
    let runQueue = makeQueue("bucketsync")
    let lockQueue = makeQueue("lock")
    all = [
      Controller(
        name: "bucketsyncpolicy", queue: policyQueue, concurrency: concurrency, logger: services.logger,
        metrics: metrics, reconcile: policies.reconcile),
      Controller(
        name: "bucketsync", queue: runQueue, concurrency: concurrency, logger: services.logger, metrics: metrics,
        reconcile: runs.reconcile),
      Controller(
        name: "lock", queue: lockQueue, concurrency: 1, logger: services.logger, metrics: metrics,
        reconcile: locks.reconcile),
    ]
    let line = runs.line
    let caches = services.caches
    caches.policies.onChange { policyQueue.add($0.object.key) }
    caches.runs.onChange { change in
      let run = change.object
      runQueue.add(run.key)
      if let owner = run.metadata.controllerOwner {
        policyQueue.add(ObjectKey(namespace: run.metadata.namespace, name: owner.name))
      }
      line.runsToWake(after: change).forEach(runQueue.add)
      locks.locks(heldBy: run.metadata.uid).forEach(lockQueue.add)
    }
    caches.jobs.onChange { change in
      guard let owner = change.object.metadata.controllerOwner else { return }
      runQueue.add(ObjectKey(namespace: change.object.metadata.namespace, name: owner.name))
      if case .deleted = change { locks.locks(heldBy: owner.uid).forEach(lockQueue.add) }
    }
    caches.pods.onChange { change in
      for uid in change.object.runUIDs {
        if let run = caches.run(uid: uid) { runQueue.add(run.key) }
        if case .deleted = change { locks.locks(heldBy: uid).forEach(lockQueue.add) }
      }
    }
    signals.onSignal { signal in
      switch signal {
      case .changed(let name): lockQueue.add(ObjectKey(namespace: nil, name: name))
      case .released(let bucket, let holder):
        if let run = line.first(for: bucket), run.metadata.uid != holder { runQueue.add(run.key) }
        if let run = holder.flatMap(caches.run(uid:)), run.status?.phase == .sync { runQueue.add(run.key) }
      case .hooksChanged:
        for run in caches.runs.all where run.isKeptByHooks {
          runQueue.forget(run.key)
          runQueue.add(run.key)
        }
      }
    }
  }
}

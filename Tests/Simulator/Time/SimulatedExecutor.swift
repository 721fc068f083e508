// The executor of one simulated process, and the pool that decides, by the world's seed, which job of which process
// runs next.
//
// Every task of an operator is started with its process's executor as its preference (SE-0417), which all its child
// tasks inherit: so there is no thread but the simulation's own, and the same seed gives the same order of everything.
// A process that is frozen (SIGSTOP, a suspended machine) keeps its jobs until it is thawed.

/// Runs the jobs of one process, when the pool says so.
final class SimulatedExecutor: TaskExecutor, @unchecked Sendable {
  // Only ever touched by the thread of its world.
  private unowned let pool: JobPool
  fileprivate var held: [UnownedJob] = []
  fileprivate(set) var isFrozen = false

  init(pool: JobPool) { self.pool = pool }

  func enqueue(_ job: consuming ExecutorJob) { pool.add(UnownedJob(job), of: self) }

  func freeze() {
    isFrozen = true
    held += pool.take(of: self)
  }

  func thaw() {
    isFrozen = false
    for job in held { pool.add(job, of: self) }
    held = []
  }

  /// Runs nothing but this process's jobs until it has none left: what a process that was killed has to unwind.
  func drain() {
    thaw()
    while true {
      let jobs = pool.take(of: self)
      if jobs.isEmpty { return }
      for job in jobs { run(job) }
    }
  }

  fileprivate func run(_ job: UnownedJob) { job.runSynchronously(on: asUnownedTaskExecutor()) }
}

/// The jobs of all processes that could run now.
final class JobPool {
  private struct Ready {
    var job: UnownedJob
    var executor: SimulatedExecutor
  }

  private var ready: [Ready] = []
  private var random: SeededRandom
  /// How many jobs have run.
  private(set) var ran = 0

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// Runs one of the jobs that could run, by chance; whether there was one.
  func runOne() -> Bool {
    guard !ready.isEmpty else { return false }
    let index = random.index(below: ready.count)
    ready.swapAt(index, ready.count - 1)
    let next = ready.removeLast()
    ran += 1
    next.executor.run(next.job)
    return true
  }

  fileprivate func add(_ job: UnownedJob, of executor: SimulatedExecutor) {
    if executor.isFrozen { executor.held.append(job) } else { ready.append(Ready(job: job, executor: executor)) }
  }

  fileprivate func take(of executor: SimulatedExecutor) -> [UnownedJob] {
    defer { ready.removeAll { $0.executor === executor } }
    return ready.filter { $0.executor === executor }.map(\.job)
  }
}

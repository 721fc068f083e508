// The thread that the API server lives on: SQLite waits for the disk, which must not hold up Swift's own threads, of
// which there are as many as cores.

import Glibc
import Synchronization

/// Runs an actor's jobs one after the other on a thread of its own.
final class DatabaseThread: SerialExecutor {
  private let queue: JobQueue

  /// Starts the thread; it ends when this object goes.
  init?() {
    queue = JobQueue()
    var thread = pthread_t()
    let queue = Unmanaged.passRetained(queue)
    guard pthread_create(&thread, nil, runJobs, queue.toOpaque()) == 0 else {
      queue.release()
      return nil
    }
    pthread_detach(thread)
  }

  deinit { queue.close() }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.append { job.runSynchronously(on: executor) }
  }
}

/// What the thread is to do.
private final class JobQueue: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Counts jobs, and one more for the end.
  private nonisolated(unsafe) let waiting: UnsafeMutablePointer<sem_t>

  init() {
    waiting = .allocate(capacity: 1)
    sem_init(waiting, 0, 0)
  }

  deinit {
    sem_destroy(waiting)
    waiting.deallocate()
  }

  func append(_ job: @escaping @Sendable () -> Void) {
    state.withLock { $0.jobs.append(job) }
    sem_post(waiting)
  }

  func close() {
    state.withLock { $0.isClosed = true }
    sem_post(waiting)
  }

  /// Runs jobs until the queue is closed and empty.
  func run() {
    while true {
      while sem_wait(waiting) != 0 {}
      let (jobs, isClosed) = state.withLock { state in (exchange(&state.jobs, with: []), state.isClosed) }
      for job in jobs { job() }
      if isClosed && jobs.isEmpty { return }
    }
  }
}

private func exchange<Value>(_ value: inout Value, with new: Value) -> Value {
  defer { value = new }
  return value
}

private func runJobs(_ queue: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let queue { Unmanaged<JobQueue>.fromOpaque(queue).takeRetainedValue().run() }
  return nil
}

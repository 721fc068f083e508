import KubernetesModel
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Work queue", .timeLimit(.minutes(5)))
struct WorkQueueTests {
  let time = ManualTime()
  let metrics = MetricsRegistry()
  let queue: WorkQueue<String>

  init() { queue = WorkQueue(name: "test", time: time, metrics: metrics) }

  /// Runs `body` beside the queue's timer.
  func withTimer(_ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup { group in
      group.addTask { await queue.runTimer() }
      try await body()
      queue.shutDown()
      try await group.waitForAll()
    }
  }

  @Test("keys come in the order in which they were added")
  func order() async {
    for key in ["b", "a", "c"] { queue.add(key) }
    #expect(await [queue.next(), queue.next(), queue.next()] == ["b", "a", "c"])
  }

  @Test("a key that is added twice comes once")
  func deduplication() async {
    queue.add("a")
    queue.add("b")
    queue.add("a")
    #expect(await [queue.next(), queue.next()] == ["a", "b"])
    #expect(metrics.exposition().contains(#"workqueue_depth{controller="test",name="test"} 0"#))
  }

  @Test("a key that is added while a worker has it comes again when the worker is done, and not before")
  func addedWhileProcessing() async {
    queue.add("a")
    _ = await queue.next()
    queue.add("a")
    queue.add("b")
    #expect(await queue.next() == "b")
    queue.done("a")
    #expect(await queue.next() == "a")
  }

  @Test("a key that a worker is done with does not come again by itself")
  func done() async {
    queue.add("a")
    _ = await queue.next()
    queue.done("a")
    queue.add("b")
    #expect(await queue.next() == "b")
  }

  @Test("a worker that waits gets a key as soon as one is added")
  func waiting() async throws {
    async let key = queue.next()
    await Task.yield()
    queue.add("a")
    #expect(await key == "a")
  }

  @Test("a delayed key comes when its time has come, and not before")
  func delay() async throws {
    try await withTimer {
      queue.add("late", after: .seconds(10))
      try await time.untilSleeping(for: .seconds(10))
      time.advance(by: .seconds(9))
      queue.add("now")
      #expect(await queue.next() == "now")
      time.advance(by: .seconds(1))
      #expect(await queue.next() == "late")
    }
  }

  @Test("of several delays for one key the one that ends first counts, and the key comes once")
  func earliestDelay() async throws {
    try await withTimer {
      queue.add("a", after: .seconds(10))
      queue.add("a", after: .seconds(5))
      queue.add("a", after: .seconds(20))
      try await time.untilSleeping(for: .seconds(5))
      time.advance(by: .seconds(5))
      #expect(await queue.next() == "a")
      queue.done("a")
      time.advance(by: .seconds(60))
      queue.add("b")
      #expect(await queue.next() == "b")
    }
  }

  @Test("a delay longer than clocks can count keeps nobody from their turn")
  func endlessDelay() async throws {
    try await withTimer {
      queue.add("never", after: .seconds(Int64.max))
      try await time.untilSleeping(for: .seconds(86_400))
      queue.add("late", after: .seconds(10))
      try await time.untilSleeping(for: .seconds(10))
      time.advance(by: .seconds(10))
      #expect(await queue.next() == "late")
    }
  }

  @Test("each failure of a key doubles its delay up to five minutes, and forgetting starts from the beginning")
  func rateLimit() async throws {
    try await withTimer {
      for delay in [5, 10, 20, 40] as [Int] {
        queue.addRateLimited("a")
        try await time.untilSleeping(for: .milliseconds(delay))
        time.advance(by: .milliseconds(delay))
        _ = await queue.next()
        queue.done("a")
      }
      queue.forget("a")
      queue.addRateLimited("a")
      try await time.untilSleeping(for: .milliseconds(5))
    }
    #expect(Backoff(initial: .milliseconds(5), limit: .seconds(300)).delay(afterFailures: 60) == .seconds(300))
  }

  @Test("a rate-limited key waits as long as the server asked, if that is longer")
  func minimum() async throws {
    try await withTimer {
      queue.addRateLimited("a", atLeast: .seconds(7))
      try await time.untilSleeping(for: .seconds(7))
    }
  }

  @Test("after shut-down workers get nothing, and nothing is taken any more")
  func shutDown() async {
    queue.add("a")
    async let waiting = [queue.next(), queue.next()]
    await Task.yield()
    queue.shutDown()
    queue.add("b")
    #expect(await queue.next() == nil)
    #expect(await waiting.contains(nil))
  }

  @Test("a cancelled worker that waits gets nothing, and takes no key with it")
  func cancellation() async throws {
    let worker = Task { await queue.next() }
    worker.cancel()
    #expect(await worker.value == nil)
    queue.add("a")
    #expect(await queue.next() == "a")
  }

  @Test("however many add and work, no two workers have one key at a time, and no key that was added is missed")
  func stress() async throws {
    struct Watch {
      var inWork: Set<Int> = []
      var overlaps = 0
      var wanted: [Int: Int] = [:]
      var seen: [Int: Int] = [:]
    }
    let queue = WorkQueue<Int>(name: "stress", time: time, metrics: metrics)
    let shared = Shared(Watch())
    let keys = 20
    try await withThrowingTaskGroup { group in
      for _ in 0..<8 {
        group.addTask {
          while let key = await queue.next() {
            shared.state.withLock { watch in
              if !watch.inWork.insert(key).inserted { watch.overlaps += 1 }
              watch.seen[key] = watch.wanted[key]
            }
            await Task.yield()
            shared.state.withLock { _ = $0.inWork.remove(key) }
            queue.done(key)
          }
        }
      }
      try await withThrowingTaskGroup { producers in
        for producer in 0..<8 {
          producers.addTask {
            for round in 0..<2000 {
              let key = (round * 7 + producer) % keys
              shared.state.withLock { $0.wanted[key, default: 0] += 1 }
              queue.add(key)
              if round.isMultiple(of: 16) { await Task.yield() }
            }
          }
        }
        try await producers.waitForAll()
      }
      // The last state of every key has to be seen by a worker that began after it was added.
      try await eventually { shared.state.withLock { $0.seen == $0.wanted && $0.inWork.isEmpty } }
      queue.shutDown()
      try await group.waitForAll()
    }
    #expect(shared.state.withLock { $0.overlaps } == 0)
  }
}

import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import TestSupport
import Testing

@Suite("Controller", .timeLimit(.minutes(5)))
struct ControllerTests {
  struct Broken: Error, CustomStringConvertible { let description: String }

  let time = ManualTime()
  let metrics = MetricsRegistry()
  let log = Recorded<(Logger.Level, String)>()
  let queue: WorkQueue<ObjectKey>
  let key = ObjectKey(namespace: "default", name: "a")

  init() { queue = WorkQueue(name: "test", time: time, metrics: metrics) }

  var warnings: Int { log.all.count { $0.0 >= .warning } }

  func result(_ result: String) -> Double {
    metrics.counter("controller_runtime_reconcile_total", "", labels: ["controller": "test", "result": result]).value
  }

  /// Runs a controller beside `body`.
  func withController(
    concurrency: Int = 1,
    reconcile: @escaping @Sendable (ObjectKey) async throws -> Reconciliation,
    _ body: () async throws -> Void
  ) async throws {
    let controller = Controller(
      name: "test",
      queue: queue,
      concurrency: concurrency,
      logger: .recording(log),
      metrics: metrics,
      reconcile: reconcile
    )
    try await withThrowingTaskGroup { group in
      group.addTask { await controller.run() }
      try await body()
      queue.shutDown()
      try await group.waitForAll()
    }
  }

  @Test("a key that was added is reconciled, once")
  func once() async throws {
    let seen = Recorded<ObjectKey>()
    try await withController { key in
      seen.append(key)
      return .done
    } _: {
      queue.add(key)
      try await eventually { result("success") == 1 }
    }
    #expect(seen.all == [key])
  }

  @Test("a reconcile that wants to look again does so after its delay")
  func again() async throws {
    let seen = Recorded<ObjectKey>()
    try await withController { key in
      seen.append(key)
      return seen.all.count == 1 ? .again(after: .seconds(30)) : .done
    } _: {
      queue.add(key)
      try await time.untilSleeping(for: .seconds(30))
      #expect(seen.all.count == 1)
      time.advance(by: .seconds(30))
      try await eventually { result("success") == 1 && result("requeue_after") == 1 }
    }
  }

  @Test("a failure is tried again with growing delays, and told once for each message")
  func failures() async throws {
    let attempts = Recorded<Void>()
    try await withController { _ in
      attempts.append(())
      if attempts.all.count <= 3 { throw Broken(description: "no disk") }
      if attempts.all.count == 4 { throw Broken(description: "no net") }
      return .done
    } _: {
      queue.add(key)
      for delay in [5, 10, 20, 40] as [Int] {
        try await time.untilSleeping(for: .milliseconds(delay))
        time.advance(by: .milliseconds(delay))
      }
      try await eventually { result("success") == 1 }
    }
    #expect(result("error") == 4)
    #expect(warnings == 2)
  }

  @Test("a conflict is tried again without a warning")
  func conflict() async throws {
    let attempts = Recorded<Void>()
    try await withController { _ in
      attempts.append(())
      guard attempts.all.count > 1 else {
        throw APIError.refused(APIStatus(code: 409, reason: "Conflict", message: "changed"), request: "PUT /x")
      }
      return .done
    } _: {
      queue.add(key)
      try await time.untilSleeping(for: .milliseconds(5))
      time.advance(by: .milliseconds(5))
      try await eventually { result("success") == 1 }
    }
    #expect(warnings == 0)
    #expect(result("error") == 0)
  }

  @Test("a server that asks for patience gets it")
  func retryAfter() async throws {
    try await withController { _ in
      throw APIError.refused(
        APIStatus(code: 429, reason: nil, message: "busy", details: .init(retryAfterSeconds: 17)),
        request: "GET /x"
      )
    } _: {
      queue.add(key)
      try await time.untilSleeping(for: .seconds(17))
    }
  }

  @Test("as many keys are worked on at a time as there are workers")
  func concurrency() async throws {
    let gate = Signal()
    let active = metrics.gauge("controller_runtime_active_workers", "", labels: ["controller": "test"])
    try await withController(concurrency: 3) { _ in
      try await gate.wait()
      return .done
    } _: {
      for number in 0..<5 { queue.add(ObjectKey(namespace: nil, name: "\(number)")) }
      try await eventually { active.value == 3 }
      gate.raise()
      try await eventually { result("success") == 5 }
    }
  }

  @Test("on shut-down what is in work finishes, and what waits is left")
  func shutDown() async throws {
    let gate = Signal()
    let finished = Recorded<String>()
    try await withController { key in
      try await gate.wait()
      finished.append(key.name)
      return .done
    } _: {
      queue.add(key)
      queue.add(ObjectKey(namespace: nil, name: "b"))
      try await eventually { metrics.exposition().contains(#"workqueue_depth{controller="test",name="test"} 1"#) }
      queue.shutDown()
      gate.raise()
    }
    #expect(finished.all == ["a"])
  }

  @Test("a cancelled controller cancels what is in work, and does not count that as failure")
  func cancellation() async throws {
    let controller = Controller(
      name: "test",
      queue: queue,
      concurrency: 1,
      logger: .recording(log),
      metrics: metrics
    ) { _ in
      try await Signal().wait()
      return .done
    }
    queue.add(key)
    let running = Task { await controller.run() }
    let active = metrics.gauge("controller_runtime_active_workers", "", labels: ["controller": "test"])
    try await eventually { active.value == 1 }
    running.cancel()
    await running.value
    #expect(warnings == 0 && result("error") == 0)
  }
}

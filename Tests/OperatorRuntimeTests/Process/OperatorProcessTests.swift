import FoundationEssentials
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

/// An operator that notes the ConfigMaps it sees, on a server in memory.
private struct TestOperator {
  let server: FakeAPIServer
  let time: ManualTime
  let store = ObjectStore<ConfigMap>()
  let queue: WorkQueue<ObjectKey>
  let reconciled = Recorded<String>()
  /// Raised while reconciles may go on.
  let gate = Signal()
  let shutdown = Signal()
  let process: OperatorProcess
  let events: EventDelivery

  init(server: FakeAPIServer, time: ManualTime, identity: String = "first") {
    self.server = server
    self.time = time
    let metrics = MetricsRegistry()
    let lease = ObjectKey(namespace: "sync", name: "leader")
    let fence = WriteFence(transport: server, lease: lease, time: time)
    let client = KubernetesClient(transport: fence, time: time)
    queue = WorkQueue(name: "test", time: time, metrics: metrics)
    events = EventDelivery(
      client: client,
      controller: "example.com/test",
      instance: identity,
      time: time,
      random: .lowest,
      logger: .silent,
      metrics: metrics
    )
    let controller = Controller(name: "test", queue: queue, concurrency: 1, logger: .silent, metrics: metrics) {
      [reconciled, gate, store, events] key in
      try await gate.wait()
      reconciled.append(key.name)
      if let object = store[key] {
        events.recorder.record(.normal, regarding: object.reference, reason: "Seen", action: "See", note: "seen")
      }
      return .done
    }
    process = OperatorProcess(
      server: nil,
      caches: [
        Reflector(
          client: client,
          store: store,
          time: time,
          random: .lowest,
          logger: .silent,
          metrics: metrics
        )
      ],
      controllers: [controller],
      events: events,
      elector: LeaderElector(
        client: client,
        lease: lease,
        identity: identity,
        fence: fence,
        time: time,
        random: .lowest,
        logger: .silent,
        metrics: metrics
      ),
      time: time,
      logger: .silent
    )
    store.onChange { [queue] in queue.add($0.object.key) }
  }
}

@Suite("Operator process", .timeLimit(.minutes(5)))
struct OperatorProcessTests {
  let server = FakeAPIServer()
  let time = ManualTime()

  var holder: String? { get throws { try server.all(Lease.self).first?.spec?.holderIdentity } }

  func createMap(_ name: String = "a") async throws {
    let client = KubernetesClient(transport: server, time: time)
    _ = try await client.create(ConfigMap(metadata: ObjectMeta(name: name, namespace: "default")))
  }

  @Test("what was there before the start is reconciled")
  func start() async throws {
    try await createMap()
    let it = TestOperator(server: server, time: time)
    it.gate.raise()
    try await withThrowingTaskGroup { group in
      group.addTask { try await it.process.run(until: it.shutdown) }
      try await eventually { it.reconciled.all == ["a"] }
      it.shutdown.raise()
      try await group.waitForAll()
    }
  }

  @Test("controllers wait for the caches")
  func unsynced() async throws {
    server.setFault { $0.label.verb == "list" ? refusal(403, "Forbidden", "no") : nil }
    let it = TestOperator(server: server, time: time)
    it.gate.raise()
    it.queue.add(ObjectKey(namespace: nil, name: "early"))
    try await withThrowingTaskGroup { group in
      group.addTask { try await it.process.run(until: it.shutdown) }
      try await time.untilSleeping(for: .milliseconds(800))
      #expect(it.reconciled.all.isEmpty)
      server.setFault(nil)
      time.advance(by: .milliseconds(800))
      try await eventually { it.reconciled.all == ["early"] }
      it.shutdown.raise()
      try await group.waitForAll()
    }
  }

  @Test("on shut-down the reconcile in work finishes, its event is delivered, and the lease is released")
  func gracefulEnd() async throws {
    try await createMap()
    let it = TestOperator(server: server, time: time)
    try await withThrowingTaskGroup { group in
      group.addTask { try await it.process.run(until: it.shutdown) }
      try await eventually { try holder == "first" }
      try await time.untilSleepers()
      try await eventually { it.queue.isEmpty }
      it.shutdown.raise()
      try await time.untilSleeping(for: .seconds(30))
      #expect(it.reconciled.all.isEmpty)
      it.gate.raise()
      try await group.waitForAll()
    }
    #expect(it.reconciled.all == ["a"])
    #expect(try server.all(Event.self).map(\.note) == ["seen"])
    #expect(try holder == "")
  }

  @Test("on shut-down events that are not delivered yet get some time, and the lease is kept for as long")
  func flush() async throws {
    try await createMap()
    server.setFault { request in
      request.label == .init(verb: "create", resource: "events") ? refusal(500, "InternalError", "broken") : nil
    }
    let it = TestOperator(server: server, time: time)
    it.gate.raise()
    try await withThrowingTaskGroup { group in
      group.addTask { try await it.process.run(until: it.shutdown) }
      try await eventually { it.reconciled.all == ["a"] }
      it.shutdown.raise()
      try await time.untilSleeping(for: .seconds(5))
      try await time.untilSleeping(for: .seconds(1))
      server.setFault(nil)
      time.advance(by: .seconds(1))
      try await group.waitForAll()
    }
    #expect(try server.all(Event.self).map(\.note) == ["seen"])
    #expect(try holder == "")
  }

  @Test("a reconcile that does not finish within the grace period is cancelled")
  func graceExceeded() async throws {
    try await createMap()
    let it = TestOperator(server: server, time: time)
    try await withThrowingTaskGroup { group in
      group.addTask {
        _ = await #expect(throws: OperatorProcess.GracePeriodExceeded.self) {
          var process = it.process
          process.elector = nil
          try await process.run(until: it.shutdown)
        }
      }
      try await eventually { it.store.isSynced && it.queue.isEmpty }
      it.shutdown.raise()
      try await time.untilSleeping(for: .seconds(30))
      time.advance(by: .seconds(30))
      try await group.waitForAll()
    }
    #expect(it.reconciled.all.isEmpty)
  }

  @Test("a follower keeps its cache filled, reconciles nothing, and ends at once")
  func follower() async throws {
    let (leader, follower) = (
      TestOperator(server: server, time: time), TestOperator(server: server, time: time, identity: "second")
    )
    try await withThrowingTaskGroup { group in
      group.addTask { try await leader.process.run(until: leader.shutdown) }
      try await eventually { try holder == "first" }
      group.addTask { try await follower.process.run(until: follower.shutdown) }
      try await eventually { server.watcherCount == 2 }
      follower.gate.raise()
      leader.gate.raise()
      try await createMap()
      try await eventually { follower.store.count == 1 && leader.reconciled.all == ["a"] }
      follower.shutdown.raise()
      _ = try await group.next()
      #expect(follower.reconciled.all.isEmpty)
      leader.shutdown.raise()
      try await group.waitForAll()
    }
  }

  @Test("a process that loses the lease stops its work and ends with an error")
  func lost() async throws {
    try await createMap()
    let it = TestOperator(server: server, time: time)
    try await withThrowingTaskGroup { group in
      group.addTask {
        _ = await #expect(throws: LeadershipLost.self) { try await it.process.run(until: it.shutdown) }
      }
      try await eventually { try holder == "first" }
      try await eventually { it.queue.isEmpty }
      try await time.untilSleeping(for: .seconds(2))
      time.advance(by: .seconds(60))
      try await group.waitForAll()
    }
    #expect(it.reconciled.all.isEmpty)
  }

  @Test("a process that cannot listen ends with that error and has led nobody")
  func cannotListen() async throws {
    let address = try #require(try ListenAddress("192.0.2.1:1"))
    let it = TestOperator(server: server, time: time)
    var process = it.process
    process.server = EndpointServer(endpoints: [address: []], time: time, logger: .silent)
    await #expect(throws: EndpointServer.CannotListen.self) { try await process.run(until: it.shutdown) }
    #expect(try holder == nil)
  }
}

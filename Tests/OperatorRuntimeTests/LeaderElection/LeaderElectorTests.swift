import FoundationEssentials
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

/// A connection to the server that can be cut.
private final class Link: APITransport {
  let server: FakeAPIServer
  private let isCut = Mutex(false)

  init(_ server: FakeAPIServer) { self.server = server }

  func cut() { isCut.withLock { $0 = true } }

  func send(_ request: APIRequest) async throws -> APIResponse {
    if isCut.withLock({ $0 }) { throw TransportError(.noAnswer, "cut") }
    return try await server.send(request)
  }

  func stream(_ request: APIRequest) async throws -> APIStream { try await server.stream(request) }
}

/// The same time with another wall clock.
private struct OffsetTime: TimeSource {
  let base: ManualTime
  let offset: Duration
  var now: Date { base.now.addingTimeInterval(offset / .seconds(1)) }
  var uptime: Duration { base.uptime }
  func sleep(for duration: Duration) async throws { try await base.sleep(for: duration) }
}

@Suite("Leader election", .timeLimit(.minutes(5)))
struct LeaderElectorTests {
  let server = FakeAPIServer()
  let time = ManualTime()
  let key = ObjectKey(namespace: "sync", name: "leader")

  /// One who stands for election, and what can be seen of it.
  struct Candidate: Sendable {
    let elector: LeaderElector
    fileprivate let link: Link
    let fence: WriteFence
    let leads = Signal()
    /// Raise it to let the work as leader end.
    let finish = Signal()

    func run() async throws {
      try await elector.run {
        leads.raise()
        defer { leads.lower() }
        try await finish.wait()
      }
    }
  }

  /// A candidate; the one with the lower `spread` tries every 2 s, else every 2 s times `spread`.
  func candidate(_ identity: String, spread: Double = 1, clockOffset: Duration = .zero) -> Candidate {
    let link = Link(server)
    let time = OffsetTime(base: time, offset: clockOffset)
    let fence = WriteFence(transport: link, lease: key, time: time)
    let elector = LeaderElector(
      client: KubernetesClient(transport: fence, time: time),
      lease: key,
      identity: identity,
      fence: fence,
      time: time,
      random: RandomSource { _ in spread },
      logger: .silent,
      metrics: MetricsRegistry()
    )
    return Candidate(elector: elector, link: link, fence: fence)
  }

  func lease() throws -> Lease.Spec? { try server.all(Lease.self).first?.spec }

  /// Lets time pass while the leader, who tries every 2 s, renews.
  func passWhileRenewing(_ duration: Duration) async throws {
    for _ in 0..<Int(duration / .seconds(2)) {
      try await time.untilSleeping(for: .seconds(2))
      time.advance(by: .seconds(2))
      let renewed = "\(MicroTimestamp(time.now))"
      try await eventually("a renewal") { try lease().map { "\($0.renewTime ?? .init(.distantPast))" } == renewed }
    }
    try await time.untilSleeping(for: .seconds(2))
  }

  @Test("the first to come leads for as long as it renews, and the second waits")
  func oneLeads() async throws {
    let (first, second) = (candidate("first"), candidate("second", spread: 1.5))
    try await withThrowingTaskGroup { group in
      group.addTask { try await first.run() }
      try await first.leads.wait()
      group.addTask { try await second.run() }
      try await time.untilSleeping(for: .seconds(3))
      try await passWhileRenewing(.seconds(60))
      #expect(first.leads.isRaised && !second.leads.isRaised)
      #expect(try lease()?.holderIdentity == "first")
      group.cancelAll()
    }
  }

  @Test("when the leader has done its work it gives the lease up, and the next one leads without waiting it out")
  func release() async throws {
    let (first, second) = (candidate("first"), candidate("second", spread: 1.5))
    try await withThrowingTaskGroup { group in
      group.addTask { try await first.run() }
      try await first.leads.wait()
      group.addTask { try await second.run() }
      try await time.untilSleeping(for: .seconds(3))
      first.finish.raise()
      _ = try await group.next()
      #expect(try lease()?.holderIdentity == "")
      time.advance(by: .seconds(3))
      try await second.leads.wait()
      #expect(try lease()?.leaseTransitions == 1)
      group.cancelAll()
    }
  }

  @Test("a leader that cannot renew stops leading before another one starts")
  func lost() async throws {
    let (first, second) = (candidate("first"), candidate("second", spread: 1.5))
    try await withThrowingTaskGroup { group in
      group.addTask {
        _ = await #expect(throws: LeadershipLost.self) { try await first.run() }
      }
      try await first.leads.wait()
      group.addTask { try await second.run() }
      try await time.untilSleeping(for: .seconds(3))
      first.link.cut()
      for _ in 0..<9 {
        time.advance(by: .seconds(1))
        try await time.untilSleepers(atLeast: 2)
      }
      #expect(first.leads.isRaised && !second.leads.isRaised)
      time.advance(by: .seconds(1))
      try await eventually { !first.leads.isRaised }
      _ = try await group.next()
      #expect(!second.leads.isRaised)
      while !second.leads.isRaised, time.uptime < .seconds(60) {
        try await time.untilSleepers()
        time.advance(by: .seconds(1))
        for _ in 0..<100 { await Task.yield() }
      }
      #expect(second.leads.isRaised)
      #expect(time.uptime >= .seconds(15))
      group.cancelAll()
    }
  }

  @Test("a leader renews without reading the lease first, and goes on when somebody has annotated it or deleted it")
  func touched() async throws {
    let first = candidate("first")
    try await withThrowingTaskGroup { group in
      group.addTask { try await first.run() }
      try await first.leads.wait()
      let reads = { server.requests.count { $0.method == .get } }
      let before = reads()
      try await passWhileRenewing(.seconds(20))
      #expect(reads() == before)
      let kubectl = KubernetesClient(transport: server, time: time)
      let note: JSONValue = ["metadata": ["annotations": ["note": "hands off"]]]
      _ = try await kubectl.patch(Lease.self, key, .merge(note))
      try await passWhileRenewing(.seconds(20))
      #expect(try server.all(Lease.self).first?.metadata.annotations?["note"] == "hands off")
      try await kubectl.delete(Lease.self, key)
      try await passWhileRenewing(.seconds(20))
      #expect(first.leads.isRaised)
      #expect(try lease()?.holderIdentity == "first")
      group.cancelAll()
    }
  }

  @Test("an hour between two machines' clocks makes no difference", arguments: [-3600, 3600])
  func clocks(offset: Int) async throws {
    let first = candidate("first")
    let second = candidate("second", spread: 1.5, clockOffset: .seconds(offset))
    try await withThrowingTaskGroup { group in
      group.addTask { try await first.run() }
      try await first.leads.wait()
      group.addTask { try await second.run() }
      try await time.untilSleeping(for: .seconds(3))
      try await passWhileRenewing(.seconds(20))
      #expect(!second.leads.isRaised)
      group.cancelAll()
    }
  }

  @Test("work that fails ends leadership with its error, and the lease is given up")
  func failingWork() async throws {
    struct Broken: Error {}
    let elector = candidate("first").elector
    await #expect(throws: Broken.self) { try await elector.run { throw Broken() } }
    #expect(try lease()?.holderIdentity == "")
  }

  @Test("a leader that was not running for a minute finds out before it does anything else")
  func suspended() async throws {
    let first = candidate("first")
    try await withThrowingTaskGroup { group in
      group.addTask {
        _ = await #expect(throws: LeadershipLost.self) { try await first.run() }
      }
      try await first.leads.wait()
      try await time.untilSleeping(for: .seconds(2))
      time.advance(by: .seconds(60))
      _ = try await group.next()
      #expect(!first.leads.isRaised)
    }
  }
}

@Suite("Write fence")
struct WriteFenceTests {
  let server = FakeAPIServer()
  let time = ManualTime()
  let fence: WriteFence
  let client: KubernetesClient
  let map = ConfigMap(metadata: ObjectMeta(name: "a", namespace: "sync"))

  init() {
    fence = WriteFence(transport: server, lease: ObjectKey(namespace: "sync", name: "leader"), time: time)
    client = KubernetesClient(transport: fence, time: time)
  }

  @Test("before the first renewal nothing is written, and the error says so")
  func closed() async throws {
    let error = await #expect(throws: APIError.self) { _ = try await client.create(map) }
    #expect("\(try #require(error))".hasSuffix("not written, because this process does not lead"))
    #expect(try server.all(ConfigMap.self).isEmpty)
  }

  @Test("while the lease vouches for it, writes go through; a moment later none does")
  func overdue() async throws {
    fence.open(until: time.uptime + .seconds(10))
    time.advance(by: .seconds(9))
    _ = try await client.create(map)
    time.advance(by: .seconds(1))
    await #expect(throws: APIError.self) { try await client.delete(ConfigMap.self, map.key) }
    await #expect(throws: APIError.self) { _ = try await client.update(map) }
    await #expect(throws: APIError.self) { _ = try await client.patch(ConfigMap.self, map.key, .merge(["data": [:]])) }
    #expect(try server.all(ConfigMap.self).count == 1)
  }

  @Test("a write gets no more time to be answered than the lease vouches for")
  func writeTimeout() async throws {
    fence.open(until: time.uptime + .seconds(10))
    time.advance(by: .seconds(4))
    _ = try await client.create(map)
    #expect(server.requests.last?.timeout == .seconds(6))
  }

  @Test("a fence that was closed lets nothing through")
  func closedAgain() async throws {
    fence.open(until: time.uptime + .seconds(10))
    fence.close()
    await #expect(throws: APIError.self) { _ = try await client.create(map) }
  }

  @Test("reads, and writes of the very lease, always go through; other leases are as good as anything else")
  func exceptions() async throws {
    _ = try await client.list(ConfigMap.self)
    let lease = try await client.create(Lease(metadata: ObjectMeta(name: "leader", namespace: "sync")))
    _ = try await client.update(lease)
    var other = lease
    other.metadata.name = "other"
    await #expect(throws: APIError.self) { _ = try await client.update(other) }
  }
}

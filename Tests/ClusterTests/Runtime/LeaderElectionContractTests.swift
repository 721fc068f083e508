import KubernetesClient
import KubernetesModel
import OperatorRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Leader election on a real API server", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct LeaderElectionContractTests {
  /// Who leads, and whether two ever did at a time.
  private final class Throne: Sendable {
    private let state = Mutex((leaders: Set<String>(), overlapped: false))

    var leaders: Set<String> { state.withLock { $0.leaders } }
    var overlapped: Bool { state.withLock { $0.overlapped } }

    func take(_ name: String) {
      state.withLock { state in
        state.leaders.insert(name)
        if state.leaders.count > 1 { state.overlapped = true }
      }
    }

    func leave(_ name: String) { state.withLock { _ = $0.leaders.remove(name) } }
  }

  /// A connection that can be cut.
  private final class Link: APITransport {
    private let transport: any APITransport
    private let isCut = Mutex(false)

    init(_ transport: any APITransport) { self.transport = transport }

    func cut() { isCut.withLock { $0 = true } }

    func send(_ request: APIRequest) async throws -> APIResponse {
      if isCut.withLock({ $0 }) { throw TransportError(.noAnswer, "cut") }
      return try await transport.send(request)
    }

    func stream(_ request: APIRequest) async throws -> APIStream { try await transport.stream(request) }
  }

  private struct Candidate {
    let name: String
    let link: Link
    let client: KubernetesClient
    let elector: LeaderElector
    let finish = Signal()

    init(_ name: String, namespace: String) throws {
      self.name = name
      link = Link(try Cluster.configuration().transport(userAgent: "bucket-sync-tests"))
      let time = SystemTime()
      let lease = ObjectKey(namespace: namespace, name: "leader")
      let fence = WriteFence(transport: link, lease: lease, time: time)
      client = KubernetesClient(transport: fence, time: time)
      var timing = LeaderElector.Timing()
      // Longer than a server that many tests ask at once ever takes.
      timing.lease = .seconds(12)
      timing.renewDeadline = .seconds(9)
      timing.retry = .milliseconds(300)
      elector = LeaderElector(
        client: client,
        lease: lease,
        identity: name,
        timing: timing,
        fence: fence,
        time: time,
        random: .system,
        logger: .silent,
        metrics: MetricsRegistry()
      )
    }

    func run(for throne: Throne) async throws {
      try await elector.run {
        throne.take(name)
        defer { throne.leave(name) }
        try await finish.wait()
      }
    }
  }

  @Test("of two candidates one leads; the other takes over when it ends, and when it is cut off")
  func takeover() async throws {
    try await Cluster.withNamespace { client, namespace in
      let throne = Throne()
      let first = try Candidate("first", namespace: namespace)
      let second = try Candidate("second", namespace: namespace)
      let third = try Candidate("third", namespace: namespace)
      try await withThrowingTaskGroup { group in
        group.addTask { try await first.run(for: throne) }
        try await eventually { throne.leaders == ["first"] }
        group.addTask {
          _ = await #expect(throws: LeadershipLost.self) { try await second.run(for: throne) }
        }
        first.finish.raise()
        try await eventually { throne.leaders == ["second"] }
        group.addTask { try await third.run(for: throne) }
        second.link.cut()
        try await eventually { throne.leaders == ["third"] }
        third.finish.raise()
        try await group.waitForAll()
      }
      #expect(!throne.overlapped)
      let lease = try await client.get(Lease.self, ObjectKey(namespace: namespace, name: "leader"))
      #expect(lease.spec?.holderIdentity == "")
      #expect(lease.spec?.leaseTransitions == 2)
    }
  }

  @Test("who does not lead writes nothing")
  func fence() async throws {
    try await Cluster.withNamespace { client, namespace in
      let throne = Throne()
      let first = try Candidate("first", namespace: namespace)
      let map = ConfigMap(metadata: ObjectMeta(name: "a", namespace: namespace))
      await #expect(throws: APIError.self) { _ = try await first.client.create(map) }
      try await withThrowingTaskGroup { group in
        group.addTask { try await first.run(for: throne) }
        try await eventually { throne.leaders == ["first"] }
        _ = try await first.client.create(map)
        first.finish.raise()
        try await group.waitForAll()
      }
      await #expect(throws: APIError.self) { try await first.client.delete(ConfigMap.self, map.key) }
      _ = try await client.get(ConfigMap.self, map.key)
    }
  }
}

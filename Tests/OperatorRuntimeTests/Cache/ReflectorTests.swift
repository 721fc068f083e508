import KubernetesClient
import KubernetesModel
import Logging
import OperatorRuntime
import TestSupport
import Testing

@Suite("Reflector", .timeLimit(.minutes(5)))
struct ReflectorTests {
  let server = FakeAPIServer()
  let time = ManualTime()
  let metrics = MetricsRegistry()
  let store = ObjectStore<ConfigMap>()
  let log = Recorded<(Logger.Level, String)>()

  var client: KubernetesClient { KubernetesClient(transport: server, time: time) }
  var names: [String] { store.all.map(\.metadata.name) }
  var lists: Double { metrics.counter("reflector_lists_total", "", labels: ["resource": "configmaps"]).value }

  /// Runs a reflector of every one of `namespaces` beside `body`.
  func withReflector(namespaces: [String?] = [nil], _ body: () async throws -> Void) async throws {
    let reflectors = namespaces.map { namespace in
      Reflector(
        client: client,
        store: store,
        namespace: namespace,
        time: time,
        random: .lowest,
        logger: .recording(log),
        metrics: metrics
      )
    }
    try await withThrowingTaskGroup { group in
      for reflector in reflectors { group.addTask { try await reflector.run() } }
      try await body()
      group.cancelAll()
    }
  }

  func create(_ name: String, namespace: String = "default") async throws {
    _ = try await client.create(ConfigMap(metadata: ObjectMeta(name: name, namespace: namespace)))
  }

  func delete(_ name: String) async throws {
    try await client.delete(ConfigMap.self, ObjectKey(namespace: "default", name: name))
  }

  func untilWatching(_ count: Int = 1) async throws {
    try await eventually("a watch") { server.watcherCount == count }
  }

  @Test("what is there and what comes, changes and goes is in the store")
  func followsServer() async throws {
    try await create("a")
    try await withReflector {
      try await store.waitUntilSynced()
      #expect(names == ["a"])
      try await untilWatching()
      try await create("b")
      try await eventually { names == ["a", "b"] }
      let key = ObjectKey(namespace: "default", name: "b")
      _ = try await client.patch(ConfigMap.self, key, .merge(["data": ["x": "1"]]))
      try await eventually { store[key]?.data == ["x": "1"] }
      try await delete("a")
      try await eventually { names == ["b"] }
    }
  }

  @Test("a list of many pages is complete")
  func pages() async throws {
    for number in 0..<1203 { try await create("map-\(number)") }
    try await withReflector {
      try await store.waitUntilSynced()
      #expect(store.count == 1203)
    }
  }

  @Test("what happened while the connection was broken is seen afterwards, without a new list")
  func brokenConnection() async throws {
    try await withReflector {
      try await untilWatching()
      server.breakWatches()
      try await time.untilSleeping(for: .milliseconds(800))
      try await create("a")
      time.advance(by: .milliseconds(800))
      try await eventually { names == ["a"] }
    }
    #expect(lists == 1)
  }

  @Test("a version that has expired, told inside the stream, means a new list that also shows what was deleted")
  func expiredInStream() async throws {
    try await create("a")
    try await create("b")
    try await withReflector {
      try await untilWatching()
      server.breakWatches()
      try await time.untilSleeping(for: .milliseconds(800))
      try await delete("b")
      try await create("c")
      server.compact()
      time.advance(by: .milliseconds(800))
      try await eventually { names == ["a", "c"] }
    }
  }

  @Test("a version that has expired, told by the status code, means a new list at once")
  func expiredAsStatus() async throws {
    server.setFault { request in
      request.label.verb == "watch" ? refusal(410, "Expired", "too old") : nil
    }
    try await withReflector {
      try await eventually { lists >= 2 }
      server.setFault(nil)
      try await time.untilSleepers()
      time.advance(by: .seconds(60))
      try await untilWatching()
      try await create("a")
      try await eventually { names == ["a"] }
    }
  }

  @Test("after a bookmark the past may be forgotten: the watch goes on from there")
  func bookmarks() async throws {
    try await withReflector {
      try await untilWatching()
      _ = try await client.create(Lease(metadata: ObjectMeta(name: "other", namespace: "default")))
      server.sendBookmarks()
      server.compact()
      server.breakWatches()
      try await time.untilSleeping(for: .milliseconds(800))
      time.advance(by: .milliseconds(800))
      try await untilWatching()
      try await create("a")
      try await eventually { names == ["a"] }
    }
    #expect(lists == 1)
  }

  @Test("a server whose history was replaced is believed")
  func restoredServer() async throws {
    for name in ["a", "b", "c"] { try await create(name) }
    try await withReflector {
      try await untilWatching()
      server.restore(revision: 50, objects: [ConfigMap(metadata: ObjectMeta(name: "old", namespace: "default"))])
      server.failWatches(code: 504, reason: "Timeout")
      try await time.untilSleeping(for: .milliseconds(800))
      time.advance(by: .milliseconds(800))
      try await eventually { names == ["old"] }
    }
  }

  @Test("a change that is told twice is one change")
  func repeated() async throws {
    let changes = Recorded<String>()
    store.onChange { changes.append($0.object.metadata.name) }
    try await withReflector {
      try await untilWatching()
      try await create("a")
      server.repeatLastChange()
      try await create("b")
      try await eventually { names == ["a", "b"] }
    }
    #expect(changes.all == ["a", "b"])
  }

  @Test("a resource type that is not installed yet is waited for, and said once")
  func notInstalled() async throws {
    server.setFault { _ in refusal(404, "NotFound", "the server could not find the requested resource") }
    try await withReflector {
      for pause in [800, 1600, 3200] as [Int] {
        try await time.untilSleeping(for: .milliseconds(pause))
        time.advance(by: .milliseconds(pause))
      }
      try await time.untilSleepers()
      #expect(!store.isSynced)
      server.setFault(nil)
      time.advance(by: .seconds(60))
      try await store.waitUntilSynced()
    }
    #expect(
      log.all.filter { $0.0 == .warning }.map(\.1) == [
        "cannot list v1 configmaps: waiting for the CustomResourceDefinition to be installed"
      ]
    )
  }

  @Test("several namespaces feed one store, which is synced when all have listed")
  func namespaces() async throws {
    try await create("a", namespace: "x")
    try await create("b", namespace: "y")
    try await create("c", namespace: "z")
    try await withReflector(namespaces: ["x", "y"]) {
      try await store.waitUntilSynced()
      #expect(names == ["a", "b"])
      try await untilWatching(2)
      try await create("d", namespace: "y")
      try await eventually { names == ["a", "b", "d"] }
    }
  }
}

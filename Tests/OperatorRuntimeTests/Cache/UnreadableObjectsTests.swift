import KubernetesClient
import KubernetesModel
import Logging
import TestSupport
import Testing

@testable import OperatorRuntime

/// The reflector's part: the store has all that can be read, and people are told of the rest.
@Suite("A cache of objects of which one cannot be read", .timeLimit(.minutes(5)))
struct UnreadableObjectsTests {
  let server = InMemoryAPIServer(time: ManualTime())
  let metrics = MetricsRegistry()
  let log = Recorded<(Logger.Level, String)>()
  let unreadable: UnreadableObjects
  let events: EventBuffer

  init() {
    unreadable = UnreadableObjects(metrics: metrics)
    events = EventBuffer(metrics: metrics)
  }

  var count: Double {
    metrics.gauge("reflector_unreadable_objects", "", labels: ["resource": "leases"]).value
  }
  var warnings: Int { log.all.count { $0.0 == .warning } }

  func withReflector<O: KubernetesObject>(of store: ObjectStore<O>, _ body: () async throws -> Void) async throws {
    let time = SystemTime()
    let reflector = Reflector(
      client: KubernetesClient(transport: server, time: time), store: store, time: time, random: .lowest,
      logger: .recording(log), metrics: metrics, unreadable: unreadable)
    try await withThrowingTaskGroup { group in
      group.addTask { try await reflector.run() }
      try await store.waitUntilSynced()
      try await eventually("a watch") { server.watcherCount == 1 }
      try await body()
      group.cancelAll()
    }
  }

  func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "x", name: name) }

  /// Creates an object, and spoils it, which no decoder of the server's stands in the way of.
  func create<O: KubernetesObject>(_ type: O.Type, _ name: String, spoilt: Bool) throws {
    try server.create(type, ["metadata": ["name": .string(name), "labels": ["a": "b"]]], namespace: "x")
    if spoilt { server.change(type, key(name)) { $0["spec"] = 7 } }
  }

  @Test("has all others, and the one is counted, logged once and told by an Event once somebody leads")
  func listed() async throws {
    try create(Lease.self, "good", spoilt: false)
    try create(Lease.self, "bad", spoilt: true)
    let store = ObjectStore<Lease>()
    try await withReflector(of: store) {
      #expect(store.all.map(\.metadata.name) == ["good"])
      #expect(count == 1)
      #expect(warnings == 1)
      #expect(events.popFirst() == nil)
      unreadable.tell(by: EventRecorder(buffer: events))
      let event = events.popFirst()
      #expect(event?.regarding.name == "bad" && event?.reason == "Unreadable" && event?.type == .warning)
      #expect(event?.note.contains("at spec") == true)
      try create(Lease.self, "another", spoilt: false)
      try await eventually { store.count == 2 }
      #expect(warnings == 1)
    }
  }

  @Test("drops one that becomes unreadable, and has it again when it is mended")
  func watched() async throws {
    try create(Lease.self, "one", spoilt: false)
    let store = ObjectStore<Lease>()
    try await withReflector(of: store) {
      unreadable.tell(by: EventRecorder(buffer: events))
      server.change(Lease.self, key("one")) { $0["spec"] = 7 }
      try await eventually { store.count == 0 && count == 1 }
      #expect(events.popFirst()?.regarding.name == "one")
      // Another change that leaves it as wrong as it was is no news.
      server.change(Lease.self, key("one")) { $0["metadata"]["labels"]["a"] = "c" }
      server.change(Lease.self, key("one")) { $0["spec"] = ["holderIdentity": "me"] }
      try await eventually { store[key("one")]?.spec?.holderIdentity == "me" && count == 0 }
      #expect(warnings == 1)
    }
  }

  @Test("forgets one that is deleted without ever having been readable")
  func deleted() async throws {
    try create(Lease.self, "bad", spoilt: true)
    let store = ObjectStore<Lease>()
    try await withReflector(of: store) {
      #expect(count == 1)
      server.delete(Lease.self, key("bad"))
      try await eventually { count == 0 }
      #expect(store.count == 0)
    }
  }

  @Test("has what stands for a pod, until the pod is gone")
  func pods() async throws {
    try server.create(Pod.self, ["metadata": ["name": "pod", "labels": ["a": "b"]]], namespace: "x")
    server.change(Pod.self, key("pod")) { $0["status"] = ["phase": "Succeeded"] }
    let store = ObjectStore<Pod>(indexes: [ObjectIndex("a") { [$0.metadata.labels?["a"]].compactMap(\.self) }])
    try await withReflector(of: store) {
      #expect(store.objects("a", "b").first?.status?.phase == "Succeeded")
      server.change(Pod.self, key("pod")) { $0["status"] = ["phase": "Running", "containerStatuses": 7] }
      try await eventually { store[key("pod")]?.status == nil }
      #expect(store.objects("a", "b").count == 1)
      server.compact()
      server.breakWatches()
      try await eventually("a new list") { server.watcherCount == 1 }
      #expect(store.count == 1)
      server.delete(Pod.self, key("pod"), .init(gracePeriodSeconds: 0))
      try await eventually { store.count == 0 }
    }
  }
}

extension ObjectStore {
  fileprivate func objects(_ index: String, _ value: String) -> [Object] {
    objects(ObjectIndex<Object>(index) { _ in [] }, value)
  }
}

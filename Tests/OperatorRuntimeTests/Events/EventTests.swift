import FoundationEssentials
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@Suite("Events", .timeLimit(.minutes(5)))
struct EventTests {
  let server = FakeAPIServer()
  let time = ManualTime()
  let delivery: EventDelivery
  let object = ObjectReference(
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: "default",
    name: "a",
    uid: "1",
    resourceVersion: "7"
  )

  init() {
    delivery = EventDelivery(
      client: KubernetesClient(transport: server, time: time),
      controller: "example.com/test",
      instance: "pod-0",
      time: time,
      random: .lowest,
      logger: .silent,
      metrics: MetricsRegistry()
    )
  }

  func record(_ note: String = "exit code 3", regarding: ObjectReference? = nil) {
    delivery.recorder.record(
      .warning,
      regarding: regarding ?? object,
      reason: "JobFailed",
      action: "Sync",
      note: note
    )
  }

  /// Runs the delivery beside `body`, and returns the events on the server when all is delivered.
  @discardableResult
  func delivered(_ body: () async throws -> Void) async throws -> [Event] {
    try await withThrowingTaskGroup { group in
      group.addTask { await delivery.run() }
      try await body()
      await delivery.flush(within: .seconds(3600))
      group.cancelAll()
    }
    return try server.all(Event.self)
  }

  @Test("an event says what happened, to what, when, and who reports it")
  func content() async throws {
    let event = try #require(try await delivered { record() }.first)
    #expect(event.metadata.namespace == "default")
    #expect(event.type == "Warning" && event.reason == "JobFailed" && event.action == "Sync")
    #expect(event.note == "exit code 3")
    #expect(event.regarding == object)
    #expect(event.reportingController == "example.com/test" && event.reportingInstance == "pod-0")
    #expect(event.eventTime?.date == time.now)
    #expect(event.series == nil)
  }

  @Test("the same thing happening again is counted in the event that tells of it")
  func series() async throws {
    let events = try await delivered {
      var later = object
      for version in ["8", "9", "10"] {
        later.resourceVersion = version
        record(regarding: later)
        time.advance(by: .seconds(1))
      }
      record("another note")
    }
    #expect(events.map(\.series?.count).sorted { ($0 ?? 0) < ($1 ?? 0) } == [nil, 3])
  }

  @Test("an event that has expired on the server is told anew")
  func expired() async throws {
    try await delivered {
      record()
      await delivery.flush(within: .seconds(3600))
      let key = try #require(try server.all(Event.self).first?.key)
      try await KubernetesClient(transport: server, time: time).delete(Event.self, key)
      record()
    }
    #expect(try server.all(Event.self).count == 1)
  }

  @Test("an object about which too much is told falls silent, and others do not")
  func spam() async throws {
    let events = try await delivered {
      for number in 0..<40 { record("note \(number)") }
      var other = object
      other.name = "b"
      record(regarding: other)
    }
    #expect(events.count { $0.regarding?.name == "a" } == 25)
    #expect(events.count { $0.regarding?.name == "b" } == 1)
  }

  @Test("every five minutes a silent object may be told of once more")
  func refill() async throws {
    let events = try await delivered {
      for number in 0..<40 { record("note \(number)") }
      await delivery.flush(within: .seconds(3600))
      time.advance(by: .seconds(300))
      for number in 40..<50 { record("note \(number)") }
    }
    #expect(events.count == 26)
  }

  @Test("a note is cut off at 1024 bytes, between characters")
  func longNote() async throws {
    let note = try #require(try await delivered { record(String(repeating: "ü", count: 600)) }.first?.note)
    #expect(note.utf8.count <= 1024 && note.hasPrefix("üüü") && note.hasSuffix("ü…"))
  }

  @Test("the name of an event is valid, however long the object's name is")
  func longName() async throws {
    var long = object
    long.name = String(repeating: "a", count: 253)
    let name = try #require(try await delivered { record(regarding: long) }.first?.metadata.name)
    #expect(name.utf8.count <= 253 && name.hasPrefix("aaa"))
  }

  @Test("an event about a cluster-scoped object goes to the default namespace")
  func clusterScoped() async throws {
    var node = object
    node.namespace = nil
    #expect(try await delivered { record(regarding: node) }.first?.metadata.namespace == "default")
  }

  @Test("an event that the server does not want is dropped, and the next one is delivered")
  func refused() async throws {
    server.setFault { request in
      request.method == .post && server.requests.count == 1 ? refusal(403, "Forbidden", "no") : nil
    }
    let events = try await delivered {
      record("first")
      record("second")
    }
    #expect(events.map(\.note) == ["second"])
  }

  @Test("while the server is out of order events are tried again, but not for ever")
  func outage() async throws {
    server.setFault { _ in refusal(500, "InternalError", "broken") }
    try await delivered {
      record("first")
      try await time.untilSleeping(for: .seconds(1))
      time.advance(by: .seconds(1))
      try await time.untilSleeping(for: .seconds(2))
      server.setFault(nil)
      time.advance(by: .seconds(2))
    }
    #expect(try server.all(Event.self).map(\.note) == ["first"])
  }

  @Test("flushing ends after its limit, delivered or not")
  func flushLimit() async throws {
    record()  // Nobody delivers.
    async let flushed: Void = delivery.flush(within: .seconds(5))
    try await time.untilSleeping(for: .seconds(5))
    time.advance(by: .seconds(5))
    await flushed
  }
}

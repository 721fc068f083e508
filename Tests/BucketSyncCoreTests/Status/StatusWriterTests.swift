import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("Writing a status")
struct StatusWriterTests {
  private let time = ManualTime()
  private let server: InMemoryAPIServer
  private let cache = ObjectStore<BucketSync>()
  private let writer: StatusWriter

  init() {
    server = InMemoryAPIServer(time: time)
    writer = StatusWriter(client: KubernetesClient(transport: server, time: time), time: time)
  }

  private func makeRun() throws -> BucketSync {
    try server.create(
      BucketSync(metadata: ObjectMeta(name: "run", namespace: "default"), spec: .init(source: "a", destination: "b")))
  }

  private func write(_ run: BucketSync, _ change: (inout BucketSync.Status) -> Void) async throws -> BucketSync {
    try await writer.write(run, cache: cache, change)
  }

  @Test("a change is stored, with the time and the generation it speaks of, and is in the cache at once")
  func change() async throws {
    let run = try await write(try makeRun()) { $0.phase = .initialize }
    #expect(run.status?.phase == .initialize)
    #expect(run.status?.observedGeneration == 1)
    #expect(run.status?.lastReconciledTime == Timestamp(time.now))
    #expect(server.find(BucketSync.self, run.key) == run)
    #expect(cache[run.key] == run)
  }

  @Test("nothing is written when nothing changed, however late it is")
  func noChange() async throws {
    let run = try await write(try makeRun()) { $0.phase = .initialize }
    let revision = server.revision
    time.advance(by: .seconds(1000))
    _ = try await write(run) { $0.phase = .initialize }
    #expect(server.revision == revision)
  }

  @Test("what is set to nil is gone from the stored object, and nothing else is")
  func cleared() async throws {
    let run = try await write(try makeRun()) {
      $0.error = "bad"
      $0.job = "job"
      $0.notes = ["a": "1", "b": "2"]
    }
    _ = try await write(run) {
      $0.error = nil
      $0.notes = ["b": "2"]
    }
    let status = try #require(server.json(BucketSync.self, run.key))["status"]
    #expect(status["error"].isNull)
    #expect(status["job"] == "job")
    #expect(status["notes"] == ["b": "2"])
  }

  @Test("fields of others in the status survive")
  func foreignFields() async throws {
    let run = try makeRun()
    server.change(BucketSync.self, run.key) { $0["status"] = ["theirs": "kept", "phase": 7] }
    let read = try #require(server.find(BucketSync.self, run.key))
    _ = try await write(read) { $0.phase = .sync }
    let status = try #require(server.json(BucketSync.self, run.key))["status"]
    #expect(status["theirs"] == "kept")
    #expect(status["phase"] == "Sync")
  }

  @Test("a change made in between by somebody else is a conflict, not overwritten")
  func conflict() async throws {
    let run = try makeRun()
    server.change(BucketSync.self, run.key) { $0["status"] = ["phase": "Finalize"] }
    await #expect { try await write(run) { $0.phase = .initialize } } throws: { ($0 as? APIError)?.isConflict == true }
    #expect(server.find(BucketSync.self, run.key)?.status?.phase == .finalize)
    // Whether a watch tells or not: the next attempt knows.
    #expect(cache[run.key]?.status?.phase == .finalize)
  }

  @Test("a condition keeps its transition time until its status changes")
  func transition() async throws {
    let start = Timestamp(time.now)
    var run = try await write(try makeRun()) { $0.set("X", .no, reason: "A", message: "a", at: Timestamp(time.now)) }
    time.advance(by: .seconds(60))
    run = try await write(run) { $0.set("X", .no, reason: "B", message: "b", at: Timestamp(time.now)) }
    #expect(run.status?.conditions?["X"]?.reason == "B")
    #expect(run.status?.conditions?["X"]?.lastTransitionTime == start)
    run = try await write(run) { $0.set("X", .yes, reason: "B", message: "b", at: Timestamp(time.now)) }
    #expect(run.status?.conditions?["X"]?.lastTransitionTime == Timestamp(time.now))
  }

  static let documents: [(JSONValue, JSONValue)] = [
    ([:], [:]), (["a": 1], [:]), ([:], ["a": ["b": 1]]), (["a": ["b": 1, "c": 2]], ["a": ["c": 3]]),
    (["a": [1, 2]], ["a": [2]]), (["a": 1], ["a": ["b": 1]]), (["a": ["b": 1]], ["a": 1]), (["a": "x"], ["b": "x"]),
    (["a": ["b": 1]], ["a": [:]]), (["a": ["b": ["c": [], "d": 1]]], ["a": ["b": ["c": [1]]]]),
  ]

  @Test("a merge patch turns one document into the other", arguments: documents.indices)
  func patches(index: Int) {
    let (old, new) = Self.documents[index]
    #expect(old.merged(with: mergePatch(from: old, to: new)) == new)
    if old == new { #expect(mergePatch(from: old, to: new) == [:]) }
  }
}

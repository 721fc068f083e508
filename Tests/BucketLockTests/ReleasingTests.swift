import BucketSyncCore
import KubernetesModel
import Synchronization
import Testing

@testable import BucketLock

@Suite("Giving locks back")
struct ReleasingTests {
  private let server = LockServer(namespace: lockNamespace)

  @Test("a run's locks go, those of others stay")
  func own() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    _ = try await controller.locks.lock(run)
    _ = try await controller.locks.lock(try makeRun("other", from: "c", to: "d"))
    try await controller.locks.unlock(run.reference)
    #expect(server.holders == ["c": "uid-of-other", "d": "uid-of-other"])
  }

  @Test("giving back nothing costs no request")
  func nothing() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    try await controller.locks.unlock(run.reference)
    _ = try await controller.locks.lock(run)
    try await controller.locks.unlock(run.reference)
    let before = server.requests
    try await controller.locks.unlock(run.reference)
    #expect(server.requests == before)
  }

  @Test("a lock taken a moment ago is given back although the watch has not shown it")
  func unseen() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    server.holdWatch()
    _ = try await controller.locks.lock(run)
    try await controller.locks.unlock(run.reference)
    #expect(server.holders == [:])
  }

  @Test("a lock that somebody has annotated meanwhile is still given back")
  func annotated() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    _ = try await controller.locks.lock(run)
    server.holdWatch()
    var lock = try #require(server.object(LockName.of(bucket: "a")))
    lock.metadata.annotations = ["note": "hands off"]
    server.put(lock)
    try await controller.locks.unlock(run.reference)
    #expect(server.holders == [:])
  }

  @Test("a lock that is another run's by now stays, one that is gone is no trouble")
  func takenOver() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    _ = try await controller.locks.lock(run)
    server.holdWatch()
    server.remove(LockName.of(bucket: "a"))
    server.remove(LockName.of(bucket: "b"))
    _ = try await Controller(on: server).locks.lock(try makeRun("other", from: "a", to: "c"))
    try await controller.locks.unlock(run.reference)
    #expect(server.holders == ["a": "uid-of-other", "c": "uid-of-other"])
  }

  @Test("held locks can be looked up by name and by holder")
  func lookup() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    _ = try await controller.locks.lock(run)
    let name = LockName.of(bucket: "a")
    let lock = try #require(controller.locks.heldLock(name))
    #expect(lock.bucket == "a")
    #expect(lock.holder == run.reference)
    #expect(Set(controller.locks.locks(heldBy: run.reference.uid)) == [name, LockName.of(bucket: "b")])
    #expect(controller.locks.heldLock("another") == nil)
    #expect(controller.locks.locks(heldBy: "another") == [])
  }

  @Test("an orphan is removed, unless it has changed since it was seen", arguments: [false, true])
  func orphan(hasChanged: Bool) async throws {
    let controller = try await Controller(on: server)
    _ = try await controller.locks.lock(try makeRun("run", from: "a", to: "b"))
    let name = LockName.of(bucket: "a")
    let seen = try #require(controller.locks.heldLock(name))
    if hasChanged { server.put(try #require(server.object(name))) }
    try await controller.locks.remove(orphan: seen)
    #expect((server.object(name) != nil) == hasChanged)
  }

  @Test("the release of a lock wakes who waits for its bucket, whoever released it")
  func signals() async throws {
    let controller = try await Controller(on: server)
    let seen = Seen()
    controller.signals.onSignal { seen.add($0) }
    let name = LockName.of(bucket: "a")
    _ = try await controller.locks.lock(try makeRun("run", from: "a", to: "a/x"))
    #expect(seen.all.contains(.changed(name: name)))
    server.remove(name)
    #expect(seen.all.contains(.released(bucket: "a", by: "uid-of-run")))
  }
}

private final class Seen: Sendable {
  private let signals = Mutex<[LockSignals.Signal]>([])
  var all: [LockSignals.Signal] { signals.withLock { $0 } }
  func add(_ signal: LockSignals.Signal) { signals.withLock { $0.append(signal) } }
}

import BucketSyncAPI
import BucketSyncCore
import KubernetesClient
import KubernetesModel
import Testing

@testable import BucketLock

@Suite("Taking locks")
struct TakingTests {
  private let server = LockServer(namespace: lockNamespace)

  @Test("free buckets are locked by ConfigMaps that tell who holds them")
  func free() async throws {
    let run = try makeRun("nightly", from: "data/backups", to: "archive")
    #expect(try await Controller(on: server).locks.lock(run) == .acquired)
    let lock = try #require(server.object(LockName.of(bucket: "data")))
    #expect(
      lock.data == [
        "bucket": "data", "side": "source", "holderNamespace": "default", "holderName": "nightly",
        "holderUID": "uid-of-nightly", "acquiredAt": "2024-01-15T02:00:00Z",
      ]
    )
    #expect(
      lock.metadata.labels == [
        "app.kubernetes.io/managed-by": "bucket-sync", "\(BucketSyncNames.group)/lock": "true",
      ]
    )
    #expect(lock.metadata.ownerReferences == nil)
    #expect(server.object(LockName.of(bucket: "archive"))?.data?["side"] == "destination")
  }

  @Test("a bucket that is both source and destination is locked once")
  func sameBucket() async throws {
    let run = try makeRun("nightly", from: "data/a", to: "data/b")
    #expect(try await Controller(on: server).locks.lock(run) == .acquired)
    #expect(server.objects.map { $0.data?["side"] } == ["source and destination"])
  }

  @Test("a bucket that the cache knows to be locked costs no request")
  func cached() async throws {
    let controller = try await Controller(on: server)
    _ = try await controller.locks.lock(try makeRun("first", from: "a", to: "b"))
    let before = server.requests
    let result = try await controller.locks.lock(try makeRun("second", from: "a", to: "c"))
    #expect(result == .busy(holder: "bucket \"a\" is locked by BucketSync default/first"))
    #expect(server.requests == before)
  }

  @Test("a lock that the cache does not know yet is respected")
  func unseen() async throws {
    let controller = try await Controller(on: server)
    server.holdWatch()
    _ = try await Controller(on: server).locks.lock(try makeRun("first", from: "a", to: "b"))
    let result = try await controller.locks.lock(try makeRun("second", from: "b", to: "c"))
    #expect(result == .busy(holder: "bucket \"b\" is locked by BucketSync default/first"))
    #expect(server.holders == ["a": "uid-of-first", "b": "uid-of-first"])
  }

  @Test("an earlier run of the same name is somebody else")
  func namesake() async throws {
    let controller = try await Controller(on: server)
    _ = try await controller.locks.lock(try makeRun("nightly", from: "a", to: "b", uid: "old"))
    let result = try await controller.locks.lock(try makeRun("nightly", from: "a", to: "b", uid: "new"))
    #expect(result.obstacle == "bucket \"a\" is locked by an earlier BucketSync default/nightly")
    #expect(server.holders == ["a": "old", "b": "old"])
  }

  @Test("when the second bucket is busy, the first is given back")
  func allOrNone() async throws {
    let controller = try await Controller(on: server)
    _ = try await controller.locks.lock(try makeRun("first", from: "b", to: "c"))
    _ = try await controller.locks.lock(try makeRun("second", from: "a", to: "b"))
    #expect(server.holders == ["b": "uid-of-first", "c": "uid-of-first"])
  }

  @Test("when the second bucket cannot be locked, the first is given back and the error is told")
  func failureGivesBack() async throws {
    let controller = try await Controller(on: server)
    server.fail(request: 1, .lostRequest)
    await #expect(throws: APIError.self) { try await controller.locks.lock(try makeRun("run", from: "a", to: "b")) }
    #expect(server.holders == [:])
  }

  @Test(
    "what a run has held before is kept through trouble that passes",
    arguments: LockServer.Fault.allCases, [0, 1])
  func keptThroughTrouble(fault: LockServer.Fault, request: Int) async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    #expect(try await controller.locks.lock(run) == .acquired)
    server.fail(request: request, fault)
    // Asked again, as before creating the Job: one request a lock.
    _ = try? await controller.locks.lock(run)
    #expect(server.holders == ["a": "uid-of-run", "b": "uid-of-run"])
    #expect(try await controller.locks.lock(run) == .acquired)
  }

  @Test("a deletion that was on its way for long does not take away a lock that its run has met again")
  func lateDeletion() async throws {
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    #expect(try await controller.locks.lock(run) == .acquired)
    let before = server.objects
    #expect(try await controller.locks.lock(run) == .acquired)
    let client = KubernetesClient(transport: server, time: SystemTime())
    for lock in before {
      let options = DeleteOptions(uid: lock.metadata.uid, resourceVersion: lock.metadata.resourceVersion)
      await #expect(throws: APIError.self) { try await client.delete(ConfigMap.self, lock.key, options) }
    }
    #expect(server.holders == ["a": "uid-of-run", "b": "uid-of-run"])
  }

  @Test("a lock left from before is kept when the whole set is got, and given back when not", arguments: [true, false])
  func leftover(isFree: Bool) async throws {
    let run = try makeRun("run", from: "a", to: "b")
    server.put(LockRecord(bucket: "a", run: run, at: Timestamp(unixSeconds: 0)).configMap(namespace: lockNamespace))
    let other = try makeRun("other", from: "b", to: "c")
    let controller = try await Controller(on: server)
    if !isFree { _ = try await controller.locks.lock(other) }
    #expect((try await controller.locks.lock(run) == .acquired) == isFree)
    #expect(
      server.holders
        == (isFree ? ["a": "uid-of-run", "b": "uid-of-run"] : ["b": "uid-of-other", "c": "uid-of-other"])
    )
  }

  @Test(
    "a ConfigMap that is no lock of ours is left alone, and the way out is told",
    arguments: [
      ("it lacks the label", [:], ["bucket": "a"]),
      ("its data has no bucket", ["\(BucketSyncNames.group)/lock": "true"], [:]),
      ("its data has no holderUID", ["\(BucketSyncNames.group)/lock": "true"], Self.record(without: "holderUID")),
      ("its data names the bucket \"z\"", ["\(BucketSyncNames.group)/lock": "true"], ["bucket": "z"]),
    ] as [(String, [String: String], [String: String])]
  )
  func foreign(defect: String, labels: [String: String], data: [String: String]) async throws {
    let name = LockName.of(bucket: "a")
    server.put(ConfigMap(metadata: ObjectMeta(name: name, namespace: lockNamespace, labels: labels), data: data))
    let before = server.object(name)
    let controller = try await Controller(on: server)
    let run = try makeRun("run", from: "a", to: "b")
    guard case .busy(let message, let pause) = try await controller.locks.lock(run) else {
      Issue.record("the lock was taken")
      return
    }
    #expect(message.contains("bucket \"a\" cannot be locked: ConfigMap \(lockNamespace)/\(name) is in the way"))
    #expect(message.contains(defect))
    #expect(message.contains("kubectl delete configmap --namespace \(lockNamespace) \(name)"))
    #expect(pause == .seconds(30))
    try await controller.locks.unlock(run.reference)
    #expect(server.objects == [before])
  }

  @Test(
    "what an administrator has to mend is told with the ConfigMap and the way out",
    arguments: [
      (refusal(404, "NotFound", "namespaces \"x\" not found"), "does not exist; create it"),
      (
        refusal(403, "Forbidden", "is being terminated", cause: "NamespaceTerminating"),
        "the namespace is being deleted; create it anew"
      ),
      (refusal(403, "Forbidden", "no"), "get, list, watch, create, patch and delete ConfigMaps"),
    ]
  )
  func administration(answer: APIResponse, advice: String) async throws {
    let controller = try await Controller(on: server)
    server.refuse(with: answer)
    let run = try makeRun("run", from: "a", to: "b")
    let error = await #expect(throws: LockFailure.self) { try await controller.locks.lock(run) }
    let text = error?.description ?? ""
    #expect(text.contains("ConfigMap \(LockName.of(bucket: "a")) in namespace \"\(lockNamespace)\""))
    #expect(text.contains(advice))
  }

  private static func record(without key: String) -> [String: String] {
    var data = ["bucket": "a", "holderNamespace": "default", "holderName": "x", "holderUID": "y"]
    data[key] = nil
    return data
  }
}

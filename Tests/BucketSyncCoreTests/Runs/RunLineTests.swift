import BucketSyncAPI
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("The line for buckets")
struct RunLineTests {
  private let caches = ClusterCaches()
  private var line: RunLine { RunLine(runs: caches.runs) }

  @discardableResult
  private func add(
    _ name: String, age: Int64, from source: String, to destination: String, phase: BucketSync.Phase? = nil,
    reason: String? = nil, isBeingDeleted: Bool = false
  ) -> BucketSync {
    let now = Timestamp(unixSeconds: 1_705_284_000)
    var metadata = ObjectMeta(name: name, namespace: "default")
    metadata.uid = "uid-\(name)"
    metadata.resourceVersion = "1"
    metadata.creationTimestamp = Timestamp(unixSeconds: now.unixSeconds - age)
    metadata.deletionTimestamp = isBeingDeleted ? now : nil
    var status = BucketSync.Status()
    status.phase = phase
    if let reason { status.set("LocksAcquired", .no, reason: reason, message: "", at: now) }
    let spec = BucketSync.Spec(source: source, destination: destination)
    let run = BucketSync(metadata: metadata, spec: spec, status: status)
    caches.runs.record(run)
    return run
  }

  @Test("the oldest run that wants one of both buckets goes first")
  func oldestFirst() throws {
    add("middle", age: 20, from: "b", to: "c")
    add("oldest", age: 30, from: "x/1", to: "b/2")
    let young = add("young", age: 10, from: "b", to: "d")
    let ahead = try #require(line.runAhead(of: young, wanting: ["b", "d"]))
    #expect(ahead.run.metadata.name == "oldest")
    #expect(ahead.bucket == "b")
    #expect(line.first(for: "c")?.metadata.name == "middle")
  }

  @Test("nobody stands before the oldest, or before one whose buckets nobody else wants")
  func free() {
    let oldest = add("oldest", age: 30, from: "a", to: "b")
    let other = add("other", age: 10, from: "c", to: "d")
    add("young", age: 5, from: "a", to: "b")
    #expect(line.runAhead(of: oldest, wanting: ["a", "b"]) == nil)
    #expect(line.runAhead(of: other, wanting: ["c", "d"]) == nil)
  }

  @Test("who is held back or blocked, deleted, running or finished does not stand in line")
  func notInLine() {
    add("held", age: 90, from: "a", to: "b", phase: .initialize, reason: LocksReason.heldBack)
    add("blocked", age: 80, from: "a", to: "b", phase: .initialize, reason: LocksReason.blocked)
    add("deleted", age: 70, from: "a", to: "b", isBeingDeleted: true)
    add("running", age: 60, from: "a", to: "b", phase: .sync)
    add("ending", age: 50, from: "a", to: "b", phase: .finalize)
    add("finished", age: 40, from: "a", to: "b", phase: .finished)
    let young = add("young", age: 1, from: "a", to: "b")
    #expect(line.runAhead(of: young, wanting: ["a", "b"]) == nil)
  }

  @Test("among runs of the same second exactly one is first, whoever asks")
  func totalOrder() {
    let runs = ["c", "a", "b"].map { add($0, age: 10, from: "x", to: "y") }
    for run in runs {
      for other in runs where run.metadata.name != other.metadata.name {
        #expect(run.isOlder(than: other) != other.isOlder(than: run))
      }
      #expect(!run.isOlder(than: run))
    }
    #expect(runs.filter { line.runAhead(of: $0, wanting: ["x", "y"]) == nil }.map(\.metadata.name) == ["a"])
  }

  @Test("when a run leaves the line, or ends, the next for each of its buckets is woken")
  func wake() {
    let old = add("old", age: 30, from: "a", to: "b")
    add("next-a", age: 20, from: "a", to: "z")
    add("next-b", age: 10, from: "y", to: "b")
    var gone = old
    gone.status?.phase = .sync
    gone.metadata.resourceVersion = "2"
    caches.runs.record(gone)
    let woken = line.runsToWake(after: .updated(old: old, new: gone)).map(\.name)
    #expect(Set(woken).isSuperset(of: ["next-a", "next-b"]))
    #expect(line.runsToWake(after: .added(old)) == [])
  }
}

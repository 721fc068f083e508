import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@Suite("Object store", .timeLimit(.minutes(5)))
struct ObjectStoreTests {
  static let byOwner = ObjectIndex<ConfigMap>("owner") { $0.data?["owner"].map { [$0] } ?? [] }

  let store = ObjectStore<ConfigMap>(indexes: [byOwner])
  let source = StoreSource(namespace: nil)
  let changes = Recorded<String>()

  init() {
    store.addSource(source)
    store.onChange { [changes] change in
      switch change {
      case .added(let object): changes.append("added \(object.metadata.name) \(object.metadata.version)")
      case .updated(let old, let new):
        changes.append("updated \(new.metadata.name) \(old.metadata.version) \(new.metadata.version)")
      case .deleted(let object): changes.append("deleted \(object.metadata.name) \(object.metadata.version)")
      }
    }
  }

  @Test("a store is synced once every source has listed")
  func synced() async throws {
    store.addSource(StoreSource(namespace: "other"))
    store.replace(source, with: [], version: "5")
    #expect(!store.isSynced)
    store.replace(StoreSource(namespace: "other"), with: [], version: "6")
    #expect(store.isSynced)
    try await store.waitUntilSynced()
  }

  @Test("additions, changes and deletions are told in order")
  func watchEvents() {
    store.replace(source, with: [.stored("a", version: 1)], version: "1")
    store.apply(source, .stored("b", version: 2))
    store.apply(source, .stored("a", version: 3))
    store.delete(source, .stored("b", version: 4))
    #expect(changes.all == ["added a 1", "added b 2", "updated a 1 3", "deleted b 4"])
    #expect(store.all.map(\.metadata.name) == ["a"])
  }

  @Test("a version that was delivered before tells of no change")
  func duplicate() {
    store.apply(source, .stored("a", version: 2))
    store.apply(source, .stored("a", version: 2))
    store.replace(source, with: [.stored("a", version: 2)], version: "3")
    #expect(changes.all == ["added a 2"])
  }

  @Test("events that come after the object's deletion, though they are older, do not bring it back")
  func late() {
    store.apply(source, .stored("a", version: 2))
    store.delete(source, .stored("a", version: 4))
    store.apply(source, .stored("a", version: 3))
    store.delete(source, .stored("b", version: 6))
    store.apply(source, .stored("b", version: 5))
    #expect(store.all.isEmpty)
    store.apply(source, .stored("a", version: 7))
    #expect(changes.all == ["added a 2", "deleted a 4", "added a 7"])
  }

  @Test("what the server says does not exist is taken out, but not another object of its name")
  func forgotten() {
    store.apply(source, .stored("a", version: 2, uid: "one"))
    store.forget(.stored("a", version: 2, uid: "two"))
    #expect(store.count == 1)
    store.forget(.stored("a", version: 2, uid: "one"))
    #expect(store.all.isEmpty)
  }

  @Test("a list swaps the store whole: what it lacks is deleted, with the state that was seen last")
  func relist() {
    store.replace(source, with: [.stored("a", version: 1), .stored("b", version: 2)], version: "2")
    store.replace(source, with: [.stored("b", version: 5), .stored("c", version: 6)], version: "7")
    #expect(changes.all == ["added a 1", "added b 2", "deleted a 1", "updated b 2 5", "added c 6"])
    #expect(store.all.map(\.metadata.name) == ["b", "c"])
  }

  @Test("another UID under a key means that a deletion was missed")
  func recreation() {
    store.apply(source, .stored("a", version: 1, uid: "old"))
    store.apply(source, .stored("a", version: 2, uid: "new"))
    #expect(changes.all == ["added a 1", "deleted a 1", "added a 2"])
  }

  @Test("the answer to a write of our own is there at once, and the watch telling of it changes nothing")
  func record() {
    store.replace(source, with: [.stored("a", version: 1)], version: "1")
    store.record(.stored("a", version: 5))
    #expect(store[ObjectKey(namespace: "default", name: "a")]?.metadata.resourceVersion == "5")
    store.apply(source, .stored("a", version: 5))
    #expect(changes.all == ["added a 1", "updated a 1 5"])
  }

  @Test("the watch does not take the store back behind a write of our own")
  func noWayBack() {
    store.replace(source, with: [.stored("a", version: 1)], version: "1")
    store.record(.stored("a", version: 5))
    store.apply(source, .stored("a", version: 3))
    store.delete(source, .stored("a", version: 4, uid: "before"))
    #expect(store.all.map(\.metadata.resourceVersion) == ["5"])
  }

  @Test("the answer to a write that the watch has passed is ignored, so that what was deleted stays deleted")
  func lateRecord() {
    store.replace(source, with: [], version: "1")
    store.apply(source, .stored("a", version: 2))
    store.delete(source, .stored("a", version: 3))
    store.record(.stored("a", version: 2))
    #expect(store.count == 0)
    store.bookmark(source, version: "9")
    store.record(.stored("b", version: 9))
    #expect(store.count == 0)
  }

  @Test("a list that was read before a write of our own does not undo it")
  func listOlderThanRecord() {
    store.replace(source, with: [.stored("a", version: 1)], version: "1")
    store.record(.stored("a", version: 5))
    store.record(.stored("b", version: 6))
    store.replace(source, with: [.stored("a", version: 1)], version: "4")
    #expect(store.all.map(\.metadata.resourceVersion) == ["5", "6"])
    store.replace(source, with: [.stored("a", version: 5)], version: "7")
    #expect(store.all.map(\.metadata.resourceVersion) == ["5"])
  }

  @Test("a list older than what the watch has told means that the server was restored: the list is right")
  func restored() {
    store.replace(source, with: [.stored("a", version: 80), .stored("b", version: 90)], version: "90")
    store.replace(source, with: [.stored("a", version: 20)], version: "30")
    #expect(store.all.map(\.metadata.resourceVersion) == ["20"])
    store.apply(source, .stored("a", version: 31))
    #expect(store.all.map(\.metadata.resourceVersion) == ["31"])
  }

  @Test("a source answers for its own namespace only")
  func namespaces() {
    let store = ObjectStore<ConfigMap>()
    let sources = ["x", "y"].map { StoreSource(namespace: $0) }
    for source in sources { store.addSource(source) }
    store.replace(sources[0], with: [.stored("a", namespace: "x", version: 1)], version: "1")
    store.replace(sources[1], with: [.stored("b", namespace: "y", version: 2)], version: "2")
    store.replace(sources[0], with: [], version: "3")
    #expect(store.all.map(\.metadata.name) == ["b"])
  }

  @Test("an index follows every change")
  func index() {
    store.apply(source, .stored("a", version: 1, owner: "x"))
    store.apply(source, .stored("b", version: 2, owner: "x"))
    #expect(store.objects(Self.byOwner, "x").map(\.metadata.name) == ["a", "b"])
    store.apply(source, .stored("a", version: 3, owner: "y"))
    store.delete(source, .stored("b", version: 4, owner: "x"))
    #expect(store.objects(Self.byOwner, "x").isEmpty)
    #expect(store.objects(Self.byOwner, "y").map(\.metadata.name) == ["a"])
  }

  @Test("a handler that comes late is told of what is there, and a handler may read the store")
  func lateHandler() {
    store.apply(source, .stored("a", version: 1))
    let counts = Recorded<Int>()
    store.onChange { [store] _ in counts.append(store.count) }
    store.apply(source, .stored("b", version: 2))
    #expect(counts.all == [1, 2])
  }
}

extension ObjectMeta {
  var version: String { resourceVersion ?? "" }
}

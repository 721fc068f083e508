import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@testable import StandaloneAPI

@Suite("What goes with what")
struct GarbageTests {
  private func collect(_ server: Server) async throws { while try await server.api.collectGarbageOnce() {} }

  @Test("objects go after their owner, those of others stay")
  func background() async throws {
    let server = try Server(in: TemporaryFolder())
    let owner = try await server.client.create(server.map("owner"))
    let middle = try await server.client.create(server.map("middle", owner: owner))
    _ = try await server.client.create(server.map("leaf", owner: middle))
    _ = try await server.client.create(server.map("other"))
    try await server.client.delete(ConfigMap.self, owner.key)
    try await collect(server)
    #expect(try await server.names == ["other"])
  }

  @Test("what a server had not collected when it ended, the next one collects")
  func afterRestart() async throws {
    let folder = try TemporaryFolder()
    do {
      let server = try Server(in: folder)
      let owner = try await server.client.create(server.map("owner"))
      _ = try await server.client.create(server.map("leaf", owner: owner))
      try await server.client.delete(ConfigMap.self, owner.key)
      #expect(try await server.names == ["leaf"])
    }
    let server = try Server(in: folder)
    try await withThrowingTaskGroup { group in
      group.addTask { try await server.api.run() }
      try await eventually { try await server.names.isEmpty }
      group.cancelAll()
    }
  }

  @Test("an object whose owner is not there goes, one whose owner has the same name and another UID too")
  func absentOwner() async throws {
    let server = try Server(in: TemporaryFolder())
    let owner = try await server.client.create(server.map("owner"))
    var stranger = owner
    stranger.metadata.uid = "another"
    _ = try await server.client.create(server.map("late", owner: stranger))
    _ = try await server.client.create(server.map("rightful", owner: owner))
    try await collect(server)
    #expect(try await server.names == ["owner", "rightful"])
  }

  @Test("deleting in the foreground, the owner stays until its dependents are gone")
  func foreground() async throws {
    let server = try Server(in: TemporaryFolder())
    let owner = try await server.client.create(server.map("owner"))
    var leaf = server.map("leaf", owner: owner)
    leaf.metadata.finalizers = ["tests.example.com/hold"]
    leaf.metadata.ownerReferences?[0].blockOwnerDeletion = true
    let held = try await server.client.create(leaf)
    try await server.client.delete(ConfigMap.self, owner.key, DeleteOptions(propagation: .foreground))
    try await collect(server)
    #expect(try await server.client.get(ConfigMap.self, owner.key).metadata.isBeingDeleted)
    #expect(try await server.client.get(ConfigMap.self, held.key).metadata.isBeingDeleted)
    _ = try await server.client.patch(ConfigMap.self, held.key, .merge(["metadata": ["finalizers": .null]]))
    try await collect(server)
    #expect(try await server.names.isEmpty)
  }

  @Test("orphaned objects lose their reference and stay")
  func orphans() async throws {
    let server = try Server(in: TemporaryFolder())
    let owner = try await server.client.create(server.map("owner"))
    let leaf = try await server.client.create(server.map("leaf", owner: owner))
    try await server.client.delete(ConfigMap.self, owner.key, DeleteOptions(propagation: .orphan))
    try await collect(server)
    #expect(try await server.names == ["leaf"])
    #expect(try await server.client.get(ConfigMap.self, leaf.key).metadata.ownerReferences == nil)
  }

  @Test("a namespace takes what is in it along, and is gone last")
  func namespace() async throws {
    let server = try Server(in: TemporaryFolder())
    var held = server.map("held")
    held.metadata.finalizers = ["tests.example.com/hold"]
    let object = try await server.client.create(held)
    _ = try await server.client.create(server.map("free"))
    let key = ObjectKey(namespace: nil, name: "default")
    try await server.client.delete(Namespace.self, key)
    try await collect(server)
    #expect(try await server.names == ["held"])
    let late = await #expect(throws: APIError.self) { try await server.client.create(server.map("late")) }
    #expect(late?.isNamespaceTerminating == true)
    _ = try await server.client.patch(ConfigMap.self, object.key, .merge(["metadata": ["finalizers": .null]]))
    try await collect(server)
    let gone = await #expect(throws: APIError.self) { try await server.client.get(Namespace.self, key) }
    #expect(gone?.isNotFound == true)
  }
}

private struct Namespace: KubernetesObject {
  static let resource = ResourceDefinition.namespaces.type
  var metadata: ObjectMeta
}

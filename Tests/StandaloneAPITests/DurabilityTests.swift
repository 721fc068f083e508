import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport
import Testing

@testable import StandaloneAPI

@Suite("What was acknowledged is kept")
struct DurabilityTests {
  @Test("another life of the server has all objects, and goes on counting versions")
  func reopened() async throws {
    let folder = try TemporaryFolder()
    var last = ""
    do {
      let server = try Server(in: folder)
      for number in 0..<20 {
        last = try await server.client.create(server.map("m\(number)")).metadata.resourceVersion ?? ""
      }
      try await server.client.delete(ConfigMap.self, ObjectKey(namespace: "default", name: "m0"))
    }
    let server = try Server(in: folder)
    #expect(Set(try await server.names) == Set((1..<20).map { "m\($0)" }))
    let next = try await server.client.create(server.map("next"))
    #expect(ResourceVersion(last).isOlder(than: ResourceVersion(next.metadata.resourceVersion ?? "")))
  }

  @Test("a watch goes on in another life of the server without a gap")
  func watchResumes() async throws {
    let folder = try TemporaryFolder()
    let version: String
    do {
      let server = try Server(in: folder)
      version = try await server.client.list(ConfigMap.self).resourceVersion
      _ = try await server.client.create(server.map("before"))
    }
    let server = try Server(in: folder)
    let stream = try await server.watch(from: version)
    _ = try await server.client.create(server.map("after"))
    var names: [String] = []
    for await event in stream {
      if case .added(let map) = event { names.append(map.metadata.name) }
      if names.count == 2 { break }
    }
    #expect(names == ["before", "after"])
  }

  @Test("the files as they are at any moment hold everything acknowledged until then")
  func filesAtAnyMoment() async throws {
    let folder = try TemporaryFolder()
    let server = try Server(in: folder)
    let acknowledged = Mutex(0)
    let writer = Task {
      for number in 0..<300 {
        _ = try await server.client.create(server.map("m\(number)"))
        acknowledged.withLock { $0 = number + 1 }
      }
    }
    for round in 0..<20 {
      try await eventually { acknowledged.withLock { $0 } >= round * 15 }
      let copy = try TemporaryFolder()
      let count = acknowledged.withLock { $0 }
      // The database last: what its journal has is not in it yet, as after a loss of power.
      for name in ["objects-wal", "objects"] {
        try FileManager.default.copyItem(atPath: "\(folder.path)/\(name)", toPath: "\(copy.path)/\(name)")
      }
      let survivor = try Server(in: copy)
      #expect(try await survivor.names.count >= count)
    }
    try await writer.value
  }

  @Test("a full medium refuses writes with a message, keeps what there is, and writes again once there is space")
  func mediumFull() async throws {
    let folder = try TemporaryFolder()
    let server = try Server(in: folder)
    let kept = try await server.client.create(server.map("kept"))
    try await server.api.limitPages(to: 1)
    var big = server.map("big")
    big.data = ["a": String(repeating: "x", count: 200_000)]
    let error = await #expect(throws: APIError.self) { try await server.client.create(big) }
    #expect(error?.statusCode == 500)
    #expect("\(error ?? .cancelled)".contains("the state on disk cannot be used"))
    #expect(try await server.names == ["kept"])
    #expect(try await server.client.get(ConfigMap.self, kept.key) == kept)
    try await server.api.limitPages(to: 1 << 20)
    _ = try await server.client.create(big)
    #expect(try await server.names == ["big", "kept"])
  }

  @Test("a damaged file is refused, and what to do about it told")
  func damaged() async throws {
    let folder = try TemporaryFolder()
    try folder.write("objects", String(repeating: "no database ", count: 1_000))
    let error = #expect(throws: EmbeddedAPIServer.CannotOpen.self) { try Server(in: folder) }
    #expect(error?.description.contains("restore it from a backup") == true)
  }

  @Test("a database that another server has open is refused")
  func second() async throws {
    let folder = try TemporaryFolder()
    let server = try Server(in: folder)
    _ = try await server.client.create(server.map("one"))
    let error = #expect(throws: EmbeddedAPIServer.CannotOpen.self) { try Server(in: folder) }
    #expect(error?.description.contains("another process has it") == true)
  }
}

extension EmbeddedAPIServer {
  /// Lets the database grow to so many pages and no further.
  fileprivate func limitPages(to count: Int) throws { try verbs.database.limitPages(to: count) }
}

import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@testable import StandaloneAPI

@Suite("Watches of the embedded server")
struct WatchTests {
  @Test("a version that is forgotten, or of another server, is told to list again")
  func expired() async throws {
    let server = try Server(in: TemporaryFolder())
    let old = try await server.client.list(ConfigMap.self).resourceVersion
    _ = try await server.client.create(server.map("one"))
    try await server.api.compact()
    for version in [old, "999999"] {
      guard case .failed(let error) = try await server.watch(from: version).first(where: { _ in true }) else {
        Issue.record("the watch from \(version) did not fail")
        continue
      }
      #expect(error.isExpired)
    }
  }

  @Test("a reader that does not read is let go, and finds everything when it asks again")
  func slowReader() async throws {
    let server = try Server(in: TemporaryFolder())
    let version = try await server.client.list(ConfigMap.self).resourceVersion
    let stream = try await server.watch(from: version)
    let map = try await server.client.create(server.map("one"))
    for round in 0..<Watcher.bufferLimit {
      _ = try await server.client.patch(ConfigMap.self, map.key, .merge(["data": ["n": .string("\(round)")]]))
    }
    var seen = version
    for await event in stream {
      if case .added(let map) = event { seen = map.metadata.resourceVersion ?? "" }
      if case .modified(let map) = event { seen = map.metadata.resourceVersion ?? "" }
    }
    let last = try await server.client.get(ConfigMap.self, map.key)
    #expect(ResourceVersion(seen).isOlder(than: ResourceVersion(last.metadata.resourceVersion ?? "")))
    let rest = try await server.watch(from: seen).first { _ in true }
    #expect(rest == .modified(last))
  }

  @Test("watches end after their time, with a bookmark")
  func end() async throws {
    let time = ManualTime()
    let server = try Server(in: TemporaryFolder(), time: time)
    let version = try await server.client.list(ConfigMap.self).resourceVersion
    let stream = try await server.watch(from: version)
    try await withThrowingTaskGroup { group in
      group.addTask { try await server.api.run() }
      try await eventually { !time.pendingSleeps.isEmpty }
      time.advance(by: .seconds(60))
      var events: [WatchEvent<ConfigMap>] = []
      for await event in stream { events.append(event) }
      #expect(!events.isEmpty && events.allSatisfy { if case .bookmark = $0 { true } else { false } })
      group.cancelAll()
    }
  }
}

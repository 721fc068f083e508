import KubernetesModel
import Testing

@testable import KubernetesClient

@Suite("Resumed watches on a real API server", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct ResumedWatchContractTests {
  @Test(
    "a watch that breaks off again and again, and goes on from the last version, misses nothing and repeats nothing")
  func noGap() async throws {
    try await Cluster.withNamespace { client, namespace in
      let count = 120
      var version = try await client.list(ConfigMap.self, namespace: namespace).resourceVersion
      let writer = Task {
        for number in 0..<count {
          let meta = ObjectMeta(name: "m\(number)", namespace: namespace, labels: ["watched": "yes"])
          _ = try await client.create(ConfigMap(metadata: meta))
        }
      }
      var seen: [String] = []
      while seen.count < count {
        let stream = try await client.watch(
          ConfigMap.self, namespace: namespace, labels: "watched=yes", fields: nil, from: version, timeout: .seconds(60)
        )
        var left = 7
        for await event in stream {
          switch event {
          case .added(let map):
            seen.append(map.metadata.name)
            version = map.metadata.resourceVersion ?? ""
          case .bookmark(let latest): version = latest
          case .modified, .deleted, .unreadable: Issue.record("\(event)")
          case .failed(let error): throw error
          }
          left -= 1
          if left == 0 || seen.count == count { break }
        }
      }
      try await writer.value
      #expect(seen == (0..<count).map { "m\($0)" })
    }
  }

  @Test("versions of one type grow with every change, and a list is as new as the newest write before it")
  func order() async throws {
    try await Cluster.withNamespace { client, namespace in
      var last = ResourceVersion("1")
      for number in 0..<10 {
        let map = try await client.create(ConfigMap(metadata: ObjectMeta(name: "m\(number)", namespace: namespace)))
        let version = ResourceVersion(map.metadata.resourceVersion ?? "")
        #expect(last.isOlder(than: version))
        last = version
      }
      let list = try await client.list(ConfigMap.self, namespace: namespace)
      #expect(!ResourceVersion(list.resourceVersion).isOlder(than: last))
    }
  }
}

import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@testable import StandaloneAPI

@Suite("Old Events", .timeLimit(.minutes(5)))
struct EventExpiryTests {
  @Test("Events that were last seen more than a day ago are forgotten, others are kept")
  func expiry() async throws {
    let time = ManualTime()
    let server = try Server(in: try TemporaryFolder(), time: time)
    let type = ResourceDefinition.events.type
    func create(_ name: String, hoursAgo: Int64, lastSeenHoursAgo: Int64? = nil) async throws {
      let now = Timestamp(time.now).unixSeconds
      func moment(_ hours: Int64) -> JSONValue {
        .string(Timestamp(unixSeconds: now - hours * 3600).description.replacing("Z", with: ".000000Z"))
      }
      var event: JSONValue = [
        "metadata": ["name": .string(name)], "eventTime": moment(hoursAgo), "reason": "Tested",
        "regarding": ["kind": "ConfigMap", "name": "a", "namespace": "default"],
      ]
      if let last = lastSeenHoursAgo { event["series"] = ["count": 2, "lastObservedTime": moment(last)] }
      _ = try await server.client.create(event, of: type, namespace: "default")
    }
    try await create("first", hoursAgo: 1)
    time.advance(by: .seconds(20 * 3600))
    try await create("series", hoursAgo: 30, lastSeenHoursAgo: 1)
    time.advance(by: .seconds(5 * 3600))
    try await create("new", hoursAgo: 0)
    try await withThrowingTaskGroup { tasks in
      tasks.addTask { try await server.api.run() }
      try await eventually { try await names(server, type) == ["new", "series"] }
      tasks.cancelAll()
    }
  }

  private func names(_ server: Server, _ type: ResourceType) async throws -> [String] {
    try await server.client.list(type).items.compactMap(\.["metadata"]["name"].string)
  }
}

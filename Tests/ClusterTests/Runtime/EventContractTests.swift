import KubernetesClient
import KubernetesModel
import OperatorRuntime
import TestSupport
import Testing

@Suite("Events on a real API server", .enabled(if: Cluster.isEnabled), .timeLimit(.minutes(5)))
struct EventContractTests {
  @Test("the same event three times is one event with a series of three, and one line of kubectl get events")
  func series() async throws {
    try await Cluster.withNamespace { client, namespace in
      let map = try await client.create(ConfigMap(metadata: ObjectMeta(name: "a", namespace: namespace)))
      let time = SystemTime()
      let delivery = EventDelivery(
        client: client,
        controller: "example.com/test",
        instance: "test-0",
        time: time,
        random: .system,
        logger: .silent,
        metrics: MetricsRegistry()
      )
      await withTaskGroup { group in
        group.addTask { await delivery.run() }
        for _ in 0..<3 {
          delivery.recorder.record(
            .warning,
            regarding: map.reference,
            reason: "JobFailed",
            action: "Sync",
            note: "exit code 3"
          )
        }
        delivery.recorder.record(
          .normal,
          regarding: map.reference,
          reason: "Synced",
          action: "Sync",
          note: String(repeating: "ü", count: 5000),
          related: map.reference
        )
        await delivery.flush(within: .seconds(30))
        group.cancelAll()
      }
      let events = try await client.list(Event.self, namespace: namespace).items
      #expect(events.count == 2)
      #expect(events.first { $0.reason == "JobFailed" }?.series?.count == 3)

      let lines = try await Testbed.kubectl("get", "events", "-n", namespace).split(separator: "\n")
      // Newer versions of kubectl also print the count, `(x3 over 5s)`.
      #expect(lines.count { $0.contains("JobFailed") } == 1)
      let line = try #require(lines.first { $0.contains("JobFailed") })
      #expect(line.contains("Warning") && line.contains("configmap/a") && line.contains("exit code 3"))
      #expect(lines.contains { $0.contains("Synced") && $0.contains("Normal") })
      let description = try await Testbed.kubectl("describe", "configmap", "a", "-n", namespace)
      #expect(description.contains("exit code 3"))
    }
  }
}

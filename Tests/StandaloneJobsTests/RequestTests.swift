// Requests that fail, and answers that get lost, on the way between the runner and its API.

import Glibc
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport
import Testing

@Suite("Requests that go wrong", .aFewAtATime, .timeLimit(.minutes(10)))
struct RequestTests {
  @Test(
    "a Job runs once and ends as it should, whichever request goes wrong",
    arguments: [Fault.lostAnswer, .conflict, .serverError, .gatewayTimeout])
  func everyRequest(fault: Fault) async throws {
    var number = 0
    while true {
      let world = try LocalWorld()
      let seen = Mutex(0)
      let hits = Mutex(0)
      let target = number
      let connection = FaultyConnection(
        to: world.server,
        fault: { (_: Int, request: APIRequest) -> Fault? in
          guard request.method != .get, !request.path.contains("/events") else { return nil }
          let mine = seen.withLock { seen in
            seen += 1
            return seen == target + 1
          }
          if mine { hits.withLock { $0 += 1 } }
          return mine ? fault : nil
        })
      try await world.start(connection: connection).run {
        try world.run("echo run >> \(world.file("log")); exit 4")
        try await world.untilEnded()
        try await eventually("finalizer") { world.pod()?.metadata.finalizers?.isEmpty ?? true }
        #expect(world.text("log") == "run\n", "request \(target)")
        #expect(world.pods().count == 1 && world.terminated()?.exitCode == 4 && world.job()?.status?.failed == 1)
        world.server.delete(Job.self, world.key("job"))
        try await eventually("gone") { world.server.all(Pod.self).isEmpty && world.job() == nil }
      }
      guard hits.withLock(\.self) > 0 else { break }
      number += 1
    }
    #expect(number >= 4)
  }

  @Test("a Job that has ended causes no further writes")
  func quiet() async throws {
    let world = try LocalWorld()
    let connection = FaultyConnection(to: world.server)
    try await world.start(connection: connection).run {
      try world.run("true")
      try await world.untilEnded()
      try await eventually("finalizer") { world.pod()?.metadata.finalizers?.isEmpty ?? true }
      try await eventually("events") { world.server.all(Event.self).count == 2 }
      let writes = connection.sent.count { $0.isWrite }
      world.server.change(Job.self, world.key("job")) { $0["metadata"]["annotations"] = ["a": "b"] }
      try await Task.sleep(for: .seconds(1))
      #expect(connection.sent.count { $0.isWrite } == writes)
      // Create the pod, its two states and its finalizer, two states of the Job, and two Events.
      #expect(writes <= 8, "\(connection.sent.filter(\.isWrite))")
    }
  }
}

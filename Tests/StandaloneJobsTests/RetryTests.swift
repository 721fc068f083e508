// Pods that follow on failed ones, by a clock that the test moves.

import FoundationEssentials
import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@Suite("Pods after failures", .aFewAtATime, .timeLimit(.minutes(5)))
struct RetryTests {
  @Test("a failed pod is followed by another after 10, 20, 40 … seconds, until the limit is passed")
  func backoff() async throws {
    let time = ManualTime(now: Date())
    let world = try LocalWorld(time: time)
    try await world.start().run {
      try world.run("echo run >> \(world.file("log")); exit 1", spec: ["backoffLimit": 2])
      // Ends of processes are told by the real clock, which this one is ahead of.
      var ahead = 0
      for (failures, pause) in [(1, 10), (2, 20)] {
        try await eventually("failure \(failures)") { world.job()?.status?.failed == failures }
        time.advance(by: .seconds(pause - 2 - ahead))
        ahead = pause - 2
        try await Task.sleep(for: .milliseconds(300))
        #expect(world.pods().count == failures)
        for _ in 0..<60 where world.pods().count == failures {
          time.advance(by: .seconds(1))
          ahead += 1
          try await Task.sleep(for: .milliseconds(50))
        }
        #expect(world.pods().count == failures + 1)
      }
      try await world.untilEnded()
      #expect(world.job()?.trueCondition("Failed")?.reason == "BackoffLimitExceeded")
      #expect(world.job()?.status?.failed == 3)
      #expect(world.text("log") == "run\nrun\nrun\n")
    }
  }

  @Test("a Job that waits for a place is ended by its time limit all the same, as never started")
  func deadlineOfWaiting() async throws {
    let world = try LocalWorld()
    try await world.start(places: 1).run {
      try world.run("exec sleep 600", name: "first")
      try await world.untilRunning("first")
      try world.run("echo run >> \(world.file("log"))", name: "second", spec: ["activeDeadlineSeconds": 1])
      try await world.untilEnded("second")
      #expect(world.job("second")?.trueCondition("Failed")?.reason == "DeadlineExceeded")
      try await eventually("no pod") { world.pods(of: "second").isEmpty }
      #expect(world.text("log") == nil)
    }
  }
}

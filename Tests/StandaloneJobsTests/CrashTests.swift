// The operator, supervisors and the machine go down at bad moments. What counts: a program is never started twice, never
// runs beside another one of its Job, and its end is told as it was.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneJobs
import Synchronization
import TestSupport
import Testing

@Suite("Crashes", .aFewAtATime, .timeLimit(.minutes(10)))
struct CrashTests {
  let world: LocalWorld

  init() throws { world = try LocalWorld() }

  @Test("a program outlives the operator, and its end is told by the next one")
  func survival() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run(
      "echo $$ > \(world.file("pid")); while [ ! -e \(world.file("go")) ]; do sleep 0.05; done; echo bye; exit 5")
    let pid = try await world.pid("pid")
    try await world.untilRunning()
    lab.kill()
    #expect(LocalWorld.runs(pid))
    let start = world.pod()?.status?.containerStatuses?.first?.state?.running?.startedAt
    try await world.start().run {
      try world.folder.write("go", "")
      try await world.untilEnded()
      let end = try #require(world.terminated())
      #expect(end.exitCode == 5 && end.message == "bye\n" && end.startedAt == start)
      #expect(world.pods().count == 1)
    }
  }

  @Test("a program that ended while there was no operator is told as it ended")
  func endedMeanwhile() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run("echo $$ > \(world.file("pid")); while [ ! -e \(world.file("go")) ]; do sleep 0.05; done; exit 9")
    let pid = try await world.pid("pid")
    try await world.untilRunning()
    lab.kill()
    try world.folder.write("go", "")
    try await eventually("end") { !LocalWorld.runs(pid) && world.processes.isEmpty }
    try await world.start().run {
      try await world.untilEnded()
      #expect(world.terminated()?.exitCode == 9)
    }
  }

  @Test("the time limit holds without an operator")
  func limitAlone() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run("echo $$ > \(world.file("pid")); exec sleep 600", spec: ["activeDeadlineSeconds": 3])
    let pid = try await world.pid("pid")
    try await world.untilRunning()
    let record = "\(world.podFolder())/ended.json"
    lab.kill()
    try await eventually("stopped") { !LocalWorld.runs(pid) && world.processes.isEmpty }
    // The supervisor's word, for the next operator may delete the pod before anybody has read its status.
    let ended = try JSON.decode(JSONValue.self, from: try #require(FileManager.default.contents(atPath: record)))
    #expect(ended["exitCode"] == 143)
    try await world.start().run {
      try await world.untilEnded()
      #expect(world.job()?.trueCondition("Failed")?.reason == "DeadlineExceeded")
    }
  }

  @Test("an operator that is killed at any request leaves a Job that still runs once and ends as it should")
  func everyRequest() async throws {
    for isServed in [false, true] {
      var number = 0
      while number < 40 {
        let world = try LocalWorld()
        let seen = Mutex(0)
        let target = number
        let lab = try LabOperator(world.server, folder: world.state) { request, served in
          guard served == isServed, request.path.contains("/namespaces/"), request.method != .get else { return false }
          return seen.withLock { seen in
            seen += 1
            return seen == target + 1
          }
        }
        try world.run("echo run >> \(world.file("log")); exit 4")
        try await eventually("death or end") { !lab.runs || world.job()?.hasEnded == true }
        let wasKilled = !lab.runs
        if !wasKilled {
          // The last writes come after the Job has ended.
          try await eventually { world.pod()?.metadata.finalizers?.isEmpty ?? true || !lab.runs }
        }
        lab.kill()
        try await world.start().run { try await world.untilEnded() }
        #expect(world.text("log") == "run\n", "killed at write \(number), served \(isServed)")
        #expect(world.pods().count == 1)
        #expect(world.terminated()?.exitCode == 4)
        #expect(world.job()?.status?.failed == 1)
        if !wasKilled { break }
        number += 1
      }
      #expect(number >= 3)
    }
  }

  @Test("an operator killed between starting a supervisor and its program finds it, and starts no second one")
  func betweenSpawnAndStart() async throws {
    let slow = [
      "/bin/sh", "-c",
      "echo $$ > \(world.file("spawned")); while [ ! -e \(world.file("proceed")) ]; do sleep 0.05; done; exec \(labPath) supervisor \"$@\"",
      "slow",
    ]
    let lab = try LabOperator(world.server, folder: world.state, supervisor: slow)
    try world.run("echo run >> \(world.file("log")); exec sleep 600")
    _ = try await world.pid("spawned")
    lab.kill()
    try await world.start().run {
      // Time for a second one to be started, if one were.
      try await Task.sleep(for: .milliseconds(300))
      #expect(world.pod()?.status?.phase != "Running" && world.text("log") == nil)
      try world.folder.write("proceed", "")
      try await world.untilRunning()
      try await eventually("the program") { world.text("log") == "run\n" && world.processes.count == 2 }
      world.server.delete(Job.self, world.key("job"))
      try await eventually("no pod") { world.pods().isEmpty }
    }
    #expect(world.text("log") == "run\n")
  }

  @Test("a supervisor that is killed before its program runs leaves a pod that can be started")
  func supervisorNeverStarted() async throws {
    let once = [
      "/bin/sh", "-c",
      "if [ -e \(world.file("again")) ]; then exec \(labPath) supervisor \"$@\"; fi; echo $$ > \(world.file("spawned")); exec sleep 600",
      "once",
    ]
    let lab = try LabOperator(world.server, folder: world.state, supervisor: once)
    try world.run("echo run >> \(world.file("log"))")
    let supervisor = try await world.pid("spawned")
    lab.kill()
    try world.folder.write("again", "")
    try await world.start(supervisor: once).run {
      kill(supervisor, SIGKILL)
      try await eventually("end", within: 60) { world.job()?.hasEnded == true }
      #expect(world.text("log") == "run\n")
      #expect(world.job()?.trueCondition("Complete") != nil)
    }
  }

  @Test("a supervisor that is killed takes its program along, with everything that it has started")
  func supervisorKilled() async throws {
    try await world.start().run {
      try world.run(
        "setsid sleep 600 & echo $! > \(world.file("child")); echo $$ > \(world.file("pid")); exec sleep 600")
      let pids = [try await world.pid("pid"), try await world.pid("child")]
      try await world.untilRunning()
      let supervisor = try #require(world.record("started.json")?["supervisor"]["pid"].integer)
      kill(pid_t(supervisor), SIGKILL)
      try await world.untilEnded()
      let end = try #require(world.terminated())
      #expect(end.exitCode == 137 && end.reason == "ContainerStatusUnknown")
      #expect(pids.allSatisfy { !LocalWorld.runs($0) })
      #expect(world.job()?.trueCondition("Failed")?.reason == "BackoffLimitExceeded")
    }
  }

  @Test("operator and supervisor killed together: what is left of the program is killed before its end is told")
  func bothKilled() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run("setsid sleep 600 & echo $! > \(world.file("child")); exec sleep 600")
    let child = try await world.pid("child")
    try await world.untilRunning()
    let supervisor = try #require(world.record("started.json")?["supervisor"]["pid"].integer)
    lab.kill()
    kill(pid_t(supervisor), SIGKILL)
    try await eventually("death") { world.processes == [child] }
    try await world.start().run {
      try await world.untilEnded()
      #expect(!LocalWorld.runs(child))
      #expect(world.terminated()?.reason == "ContainerStatusUnknown")
    }
  }

  @Test("after a restart of the machine, records of before name nobody who is alive now")
  func reboot() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run("echo $$ > \(world.file("pid")); exec sleep 600")
    let pid = try await world.pid("pid")
    try await world.untilRunning()
    lab.kill()
    let supervisor = try #require(world.record("started.json")?["supervisor"]["pid"].integer)
    for victim in [pid_t(supervisor), pid] { kill(victim, SIGKILL) }
    try await eventually("death") { world.processes.isEmpty }
    // Somebody else has the number now, as this process shows.
    var record = try #require(world.record("started.json"))
    for role in ["supervisor", "program"] {
      record[role]["pid"] = .integer(Int64(getpid()))
      record[role]["bootID"] = "00000000-0000-0000-0000-000000000000"
    }
    try JSON.encode(record).write(to: URL(filePath: "\(world.podFolder())/started.json"))
    try await world.start().run {
      try await world.untilEnded()
      let end = try #require(world.terminated())
      #expect(end.exitCode == 137 && end.reason == "ContainerStatusUnknown")
      #expect(end.message == "the machine was switched off or restarted while the container ran")
    }
  }

  @Test("a pod whose Job and object went while there was no operator is stopped")
  func goneMeanwhile() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run("echo $$ > \(world.file("pid")); exec sleep 600")
    let pid = try await world.pid("pid")
    try await world.untilRunning()
    lab.kill()
    let key = try #require(world.pod()?.key)
    world.server.change(Pod.self, key) { $0["metadata"]["finalizers"] = [] }
    world.server.delete(Pod.self, key, DeleteOptions(gracePeriodSeconds: 0))
    world.server.delete(Job.self, world.key("job"))
    #expect(LocalWorld.runs(pid))
    try await world.start().run { try await eventually("stopped") { !LocalWorld.runs(pid) } }
  }

  @Test("a running pod of which the state knows nothing is told as lost")
  func stateLost() async throws {
    let lab = try LabOperator(world.server, folder: world.state)
    try world.run("exec sleep 600")
    try await world.untilRunning()
    lab.kill()
    for process in world.processes { kill(process, SIGKILL) }
    try await eventually("death") { world.processes.isEmpty }
    try FileManager.default.removeItem(atPath: world.state)
    try await world.start().run {
      try await world.untilEnded()
      #expect(world.terminated()?.exitCode == 137 && world.terminated()?.reason == "ContainerStatusUnknown")
    }
  }

  @Test("an operator that ends in good order leaves programs running")
  func goodOrder() async throws {
    try await world.start().run {
      try world.run("echo $$ > \(world.file("pid")); while [ ! -e \(world.file("go")) ]; do sleep 0.05; done")
      try await world.untilRunning()
    }
    #expect(LocalWorld.runs(try await world.pid("pid")))
    try await world.start().run {
      try world.folder.write("go", "")
      try await world.untilEnded()
      #expect(world.job()?.trueCondition("Complete") != nil)
    }
  }
}

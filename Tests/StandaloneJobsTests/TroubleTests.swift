// A machine in trouble: no space left, a supervisor that hangs, state that somebody removed.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneJobs
import TestSupport
import Testing

/// A small disk of its own, as only root may have.
private struct SmallDisk: ~Copyable {
  let path: String

  init?(_ path: String, kilobytes: Int) {
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else { return nil }
    self.path = path
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }
}

@Suite("Trouble on this machine", .aFewAtATime, .timeLimit(.minutes(5)))
struct TroubleTests {
  let world: LocalWorld

  init() throws { world = try LocalWorld() }

  @Test("a full disk costs parts of the log, not the end of a program; the next one waits for space")
  func diskFull() async throws {
    guard let disk = SmallDisk("\(world.state)/pods", kilobytes: 300) else { return }
    defer { withExtendedLifetime(disk.path) {} }
    try await world.start().run {
      try world.run("head -c 100000 /dev/zero | tr '\\0' '\\n'; echo last words; exit 6", name: "talker")
      try await world.untilEnded("talker")
      #expect(world.terminated("talker")?.exitCode == 6)
      #expect(world.terminated("talker")?.message?.hasSuffix("last words\n") == true)
      try world.run("true", name: "next")
      try await eventually("complaint") {
        let waiting = world.pod(of: "next")?.status?.containerStatuses?.first?.state?.waiting
        return waiting?.reason == "CreateContainerError"
          && waiting?.message?.hasSuffix("No space left on device") == true
      }
      let logs = try FileManager.default.contentsOfDirectory(atPath: world.podFolder("talker"))
      for log in logs where log.hasPrefix("main.log") {
        try FileManager.default.removeItem(atPath: "\(world.podFolder("talker"))/\(log)")
      }
      try await world.untilEnded("next")
      #expect(world.job("next")?.trueCondition("Complete") != nil)
    }
  }

  @Test("a supervisor that hangs does not keep its pod for ever")
  func hangingSupervisor() async throws {
    try await world.start().run {
      try world.run("echo $$ > \(world.file("pid")); exec sleep 600", pod: ["terminationGracePeriodSeconds": 1])
      let pid = try await world.pid("pid")
      try await world.untilRunning()
      let supervisor = try #require(world.record("started.json")?["supervisor"]["pid"].integer)
      kill(pid_t(supervisor), SIGSTOP)
      world.server.delete(Job.self, world.key("job"))
      try await eventually("no pod") { world.pods().isEmpty }
      #expect(!LocalWorld.runs(pid) && !LocalWorld.runs(pid_t(supervisor)))
    }
  }

  @Test("a pod whose folder is removed while it runs is told as lost when it has ended")
  func folderRemoved() async throws {
    try await world.start().run {
      try world.run("echo $$ > \(world.file("pid")); exec sleep 600")
      let pid = try await world.pid("pid")
      try await world.untilRunning()
      let folder = world.podFolder()
      // Files in it may go at the same moment, which is an error to whoever removes all of it.
      try await eventually("removal") {
        try? FileManager.default.removeItem(atPath: folder)
        return !FileManager.default.fileExists(atPath: folder)
      }
      kill(pid, SIGKILL)
      try await world.untilEnded()
      #expect(world.terminated()?.reason == "ContainerStatusUnknown")
    }
  }
}

// The commands for people without kubectl, on a real cluster.

import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

@Suite("Commands for objects", .enabled(if: Testbed.hasEndpoints), .explained)
struct ObjectCommandTests {
  @Test func aTriggeredRunIsShownInLinesUntilItHasSucceeded() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      for number in 0..<20 { try source.write("object-\(number)", String(repeating: "x", count: 10_000)) }
      try await world.startController()
      try await world.create(world.policy("nightly", from: source, to: destination))

      let triggered = try await world.command("trigger", "nightly", "--wait", "--timeout", "2m")
      #expect(triggered.code == 0, "\(triggered.errors)")
      #expect(try destination.objects() == source.objects())
      let run = try await world.onlyRun(of: "nightly").metadata.name
      let lines = triggered.output.split(separator: "\n")
      #expect(lines.first == "policy nightly triggered: run \(run)")
      #expect(lines.last?.hasPrefix("\(run): Succeeded after ") == true, "\(triggered.output)")
      #expect(lines.last?.contains("20 objects") == true || lines.last?.contains("KiB") == true, "\(triggered.output)")
      #expect(!triggered.output.contains("\u{1B}"))

      let table = try await world.command("get", "runs")
      #expect(table.output.hasPrefix("NAME "))
      #expect(table.output.contains("\(run)   nightly   Finished   Succeeded"), "\(table.output)")
      let wide = try await world.command("get", "policy/nightly", "-o", "wide")
      #expect(wide.output.contains(source.name))
      #expect(try await world.command("get", "-o", "name").output.contains("/\(run)\n"))
      let json = try await world.command("get", "run", run, "-o", "json")
      #expect(
        try JSON.decode(JSONValue.self, from: Data(json.output.utf8))["metadata"]["name"].string == run)
      #expect(try await world.command("get", "-l", "no=such").errors.contains("No policies and no runs found"))

      let policy = try await world.command("describe", "policy", "nightly")
      #expect(policy.output.contains("SECRET_ACCESS_KEY"))
      #expect(policy.output.contains("RunCreated"), "\(policy.output)")
      #expect(policy.output.contains(run))
      let described = try await world.command("describe", "run", run)
      #expect(described.output.contains("Result:") && described.output.contains("Succeeded"))
      for text in [policy.output, described.output] { #expect(!text.contains(source.endpoint.secretKey)) }

      let log = try await world.command("logs", "policy/nightly")
      #expect(log.code == 1)
      #expect(log.errors.contains("its Job is gone, and its log with it. It ended as Succeeded"), "\(log.errors)")
    }
  }

  @Test func onATerminalProgressIsOneLineAndCtrlCLeavesTheRunGoing() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.policy("held", from: sync.source, to: sync.destination))
      // The terminal's own Ctrl-C, after some seconds.
      let command = world.commandLine("trigger", "held", "--wait").map { "'\($0)'" }.joined(separator: " ")
      let shown = try await Program.run(
        "sh", ["-c", "(sleep 8; printf '\\003'; sleep 5) | script -qec \"\(command)\" /dev/null"],
        environment: world.commandEnvironment.merging(["TERM": "xterm"]) { $1 })
      let run = try await world.onlyRun(of: "held")
      #expect(shown.code == 130, "\(shown.output)")
      #expect(shown.output.contains("\r\u{1B}[K\(run.metadata.name): syncs"), "\(shown.output)")
      #expect(shown.output.contains("cancel \(run.metadata.name)"), "\(shown.output)")
      #expect(!run.isFinished)

      let waiting = try await world.command("trigger", "held", "--wait", "--timeout", "2s")
      #expect(waiting.code == 124, "\(waiting.errors)")

      let locks = try await world.command("get", "locks", "-A")
      #expect(locks.output.contains("\(world.namespace)/\(run.metadata.name)"), "\(locks.output)")
      let pods = try await world.command("get", "jobs,pods")
      #expect(pods.output.contains("COMPLETIONS") && pods.output.contains("RESTARTS"), "\(pods.output)")

      let cancelled = try await world.command("cancel", run.metadata.name)
      #expect(cancelled.output == "run \(run.metadata.name) cancelled\n", "\(cancelled.errors)")
      #expect(try await world.find(BucketSync.self, run.metadata.name) == nil)
      sync.release()
      for run in try await world.runs(of: "held") { try await world.success(of: run.metadata.name) }
    }
  }

  @Test func aFailedRunFailsTheCommandAndSaysWhy() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      try await world.startController()
      var policy = world.policy("broken", from: source, to: destination)
      policy.spec.source = "no-such-bucket-\(world.namespace)"
      try await world.create(policy)
      let triggered = try await world.command("trigger", "broken", "--wait")
      #expect(triggered.code == 1)
      #expect(triggered.output.contains("Failed after"), "\(triggered.output)")
      #expect(triggered.output.contains("(BucketNotFound)\n  "), "\(triggered.output)")
      #expect(!triggered.output.contains("\u{1B}"))

      let wrong = try await world.command("trigger", "brokn")
      #expect(wrong.code == 1)
      #expect(wrong.errors.contains("did you mean broken?"), "\(wrong.errors)")
      #expect(try await world.command("trigger").code == 64)
      let run = try await world.onlyRun(of: "broken").metadata.name
      let refused = try await world.command("cancel", run)
      #expect(refused.code == 1)
      #expect(refused.errors.contains("--force"), "\(refused.errors)")
      #expect(try await world.command("cancel", run, "--force").code == 0)
    }
  }

  @Test func aLogIsFollowedFromBeforeItsPodIsThereUntilItEnds() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      try await world.startController()
      try await world.create(world.run("once", sync))
      async let log = world.command("logs", "once", "--follow")
      try await until("rclone tells of progress") {
        try await world.command("logs", "once", "--tail", "1").output.contains("ETA")
      }
      sync.release()
      let followed = try await log
      #expect(followed.code == 0, "\(followed.errors)")
      #expect(followed.output.contains("100%") || followed.output.contains("ETA"), "\(followed.output)")
      try await world.success(of: "once")
    }
  }

  @Test func changesArePrintedAsTheyHappen() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      try await world.startController()
      async let watched = Program.run(
        "timeout", ["30"] + world.commandLine("get", "runs", "--watch"), environment: world.commandEnvironment)
      try await Task.sleep(for: .seconds(2))
      try await world.create(world.run("once", from: source, to: destination))
      try await world.success(of: "once")
      let lines = try await watched.output.split(separator: "\n")
      #expect(lines.first?.hasPrefix("NAME") == true)
      #expect(lines.contains { $0.hasPrefix("once") && $0.contains("Sync ") }, "\(lines)")
      #expect(lines.contains { $0.hasPrefix("once") && $0.contains("Succeeded") }, "\(lines)")
    }
  }
}

extension World {
  /// A command on the objects of this world, as a person types it.
  func commandLine(_ arguments: String...) -> [String] { commandLine(arguments) }

  private func commandLine(_ arguments: [String]) -> [String] {
    [Testbed.executable, "bucket-sync"] + arguments + ["--namespace", namespace]
  }

  var commandEnvironment: [String: String] { Testbed.environment.merging(["KUBECONFIG": Testbed.kubeconfig]) { $1 } }

  func command(_ arguments: String...) async throws -> ProgramResult {
    let line = arguments.contains("-A") ? [Testbed.executable, "bucket-sync"] + arguments : commandLine(arguments)
    return try await Program.run(line[0], Array(line.dropFirst()), environment: commandEnvironment)
  }
}

// What programs write, and what `logs` gives of it.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneJobs
import Synchronization
import TestSupport
import Testing

@Suite("Logs", .aFewAtATime, .timeLimit(.minutes(5)))
struct LogTests {
  let world: LocalWorld

  init() throws { world = try LocalWorld() }

  private func read(
    _ logs: PodLogs, job: String = "job", _ change: (inout PodLogOptions) -> Void = { _ in }
  )
    async throws -> String
  {
    var options = PodLogOptions()
    change(&options)
    let name = world.pod(of: job)?.metadata.name ?? ""
    var all = Data()
    for try await piece in try await logs.read(namespace: "default", pod: name, options) { all += piece }
    return String(decoding: all, as: UTF8.self)
  }

  @Test("all that a program has written can be read, whole or in part")
  func reading() async throws {
    let runner = try world.start()
    try await runner.run {
      try world.run("for i in $(seq 5); do echo line $i; done; echo oops >&2; printf 'no end'")
      try await world.untilEnded()
      let all = try await read(runner.jobs.logs)
      // The two streams are read one beside the other.
      #expect(all.split(separator: "\n").filter { $0.hasPrefix("line") } == (1...5).map { "line \($0)" })
      #expect(all.contains("oops\n") && all.contains("no end\n"))
      #expect(try await read(runner.jobs.logs) { $0.tailLines = 0 } == "")
      #expect(
        try await read(runner.jobs.logs) { $0.tailLines = 2 } == all.split(separator: "\n").suffix(2).joined(
          separator: "\n") + "\n")
      #expect(try await read(runner.jobs.logs) { $0.tailLines = 99 } == all)
      #expect(try await read(runner.jobs.logs) { $0.limitBytes = 8 } == String(all.prefix(8)))
      #expect(try await read(runner.jobs.logs) { $0.since = Date().addingTimeInterval(60) } == "")
      #expect(try await read(runner.jobs.logs) { $0.since = Date().addingTimeInterval(-600) } == all)
      let stamped = try await read(runner.jobs.logs) { $0.timestamps = true }
      #expect(stamped.split(separator: "\n").allSatisfy { $0.contains(#/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /#) })
      await #expect(
        throws: PodLogRefusal.badRequest(
          "previous terminated container \"main\" in pod \"\(world.pod()?.metadata.name ?? "")\" not found")
      ) {
        _ = try await read(runner.jobs.logs) { $0.previous = true }
      }
      await #expect(throws: PodLogRefusal.nothingWritten) {
        _ = try await runner.jobs.logs.read(namespace: "default", pod: "other")
      }
    }
  }

  @Test("files are exchanged when they are full, and read as one; the oldest go", arguments: [3, 50])
  func rotation(files: Int) async throws {
    let runner = try world.start(log: LogLimits(fileSize: 4096, files: files))
    try await runner.run {
      try world.run("i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo line number $i; done")
      try await world.untilEnded()
      let names = try FileManager.default.contentsOfDirectory(atPath: world.podFolder()).filter {
        $0.hasPrefix("main.log")
      }
      for name in names {
        let size = try Data(contentsOf: URL(filePath: "\(world.podFolder())/\(name)")).count
        #expect(size <= 4096)
      }
      let lines = try await read(runner.jobs.logs).split(separator: "\n")
      #expect(names.count <= files && names.count > 1)
      #expect(lines == (1...1000).suffix(lines.count).map { "line number \($0)" })
      if files == 50 { #expect(lines.count == 1000) }
      #expect(
        try await read(runner.jobs.logs) { $0.tailLines = 500 }.split(separator: "\n").first
          == (lines.count >= 500 ? "line number 501" : lines.first))
    }
  }

  @Test("following shows what is written as it is written, over exchanged files, and ends with the container")
  func following() async throws {
    let runner = try world.start(log: LogLimits(fileSize: 512, files: 50))
    try await runner.run {
      try world.run(
        "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; if [ $i = 50 ]; then while [ ! -e \(world.file("go")) ]; do sleep 0.02; done; fi; done"
      )
      try await world.untilRunning()
      var options = PodLogOptions()
      options.follow = true
      let stream = try await runner.jobs.logs.read(
        namespace: "default", pod: world.pod()?.metadata.name ?? "", options)
      var text = ""
      for try await piece in stream {
        text += String(decoding: piece, as: UTF8.self)
        if text.hasSuffix("line 50\n") { try world.folder.write("go", "") }
      }
      #expect(text == (1...100).map { "line \($0)\n" }.joined())
      try await world.untilEnded()
    }
  }

  @Test("a long line stays one line")
  func longLine() async throws {
    let runner = try world.start()
    try await runner.run {
      try world.run("head -c 100000 /dev/zero | tr '\\0' x; echo; echo next")
      try await world.untilEnded()
      #expect(try await read(runner.jobs.logs) == String(repeating: "x", count: 100_000) + "\nnext\n")
    }
  }

  @Test("logs outlive their pods, the youngest of each group")
  func archive() async throws {
    let runner = try world.start(kept: KeptLogs(groupLabel: "app", perGroup: 2, delay: .zero))
    try await runner.run {
      var pods: [String] = []
      for number in 1...3 {
        try world.run("echo \(number)", name: "job-\(number)")
        try await world.untilEnded("job-\(number)")
        pods.append(try #require(world.pod(of: "job-\(number)")?.metadata.name))
        // The order is by whole seconds.
        try await Task.sleep(for: .milliseconds(1100))
      }
      for number in 1...3 { world.server.delete(Job.self, world.key("job-\(number)")) }
      try await eventually("gone") { world.server.all(Pod.self).isEmpty }
      let first = pods[0]
      try await eventually("removed") {
        do {
          _ = try await runner.jobs.logs.read(namespace: "default", pod: first)
          return false
        } catch { return error as? PodLogRefusal == .nothingWritten }
      }
      for (pod, text) in zip(pods.dropFirst(), ["2\n", "3\n"]) {
        var all = ""
        for try await piece in try await runner.jobs.logs.read(namespace: "default", pod: pod) {
          all += String(decoding: piece, as: UTF8.self)
        }
        #expect(all == text)
      }
    }
  }
}

// Each script of examples/hooks, installed and seen to do to real Jobs what it says.

import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

@Suite("What the example scripts do", .enabled(if: Testbed.isEnabled), .explained)
struct ExampleScriptTests {
  /// Runs a policy with `script` installed, up to its Job, which gets no pods; gives the Job.
  private func job(
    _ script: String, in world: World, replacing replacements: [(String, String)] = [],
    _ prepare: (inout BucketSyncPolicy) -> Void = { _ in }
  ) async throws -> JSONValue {
    let (source, destination) = try await world.imaginaryBuckets()
    var text = try MountedScripts.example(script)
    for (old, new) in replacements {
      #expect(text.contains(old))
      text = text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
    let scripts = try MountedScripts(in: world)
    try scripts.publish([script: text])
    try await world.startController("--hooks-dir", scripts.path)
    var policy = world.policy("nightly", from: source, to: destination)
    prepare(&policy)
    try await world.create(policy)
    try await world.syncNow("nightly")
    let run = try await world.onlyRun(of: "nightly").metadata.name
    try await world.wait(for: BucketSync.self, run, "has its Job") { $0.status?.jobUID != nil }
    let jobs = try await world.kubectl("get", "jobs", "--output", "json")
    let job = try JSON.decode(JSONValue.self, from: Data(jobs.utf8))["items"][0]
    try await world.kubectl("delete", "bucketsyncpolicy", "nightly")
    return job
  }

  private func arguments(_ job: JSONValue) -> [String] {
    (job["spec"]["template"]["spec"]["containers"][0]["args"].array ?? []).compactMap(\.string)
  }

  @Test func bandwidthIsLimitedByTheHour() async throws {
    try await World.run { world in
      // Whatever the hour is, it is one of those.
      let job = try await job("bandwidth-by-hour.lua", in: world, replacing: [("FROM, TO = 8, 18", "FROM, TO = 0, 24")])
      {
        $0.spec.parameters = ["daytime_limit": "3M"]
      }
      #expect(arguments(job).last == "--bwlimit=3M")
    }
  }

  @Test func flagsComeFromLabels() async throws {
    try await World.run { world in
      let job = try await job("flags-by-label.lua", in: world) {
        $0.metadata.labels = [
          "example.com/fast-list": "true", "example.com/checksum": "true", "example.com/transfers": "16",
        ]
      }
      #expect(arguments(job).suffix(3) == ["--fast-list", "--checksum", "--transfers=16"])
    }
  }

  @Test func whatIsDeletedGoesToAFolderOfTheDay() async throws {
    try await World.run { world in
      let job = try await job("backup-dir.lua", in: world) { $0.spec.parameters = ["trash": "trash/photos"] }
      let made = try #require(job["metadata"]["creationTimestamp"].string)
      #expect(arguments(job).last == "--backup-dir=destination:trash/photos/\(made.prefix(10))")
    }
  }

  @Test func parametersSayWhereThePodRuns() async throws {
    try await World.run { world in
      let job = try await job("placement.lua", in: world) {
        $0.spec.parameters = ["node_selector": "disk=ssd", "tolerate": "backup", "cpu": "500m", "memory": "256Mi"]
      }
      let pod = job["spec"]["template"]["spec"]
      #expect(pod["nodeSelector"] == ["disk": "ssd"])
      #expect(pod["tolerations"][0] == ["key": "backup", "operator": "Exists"])
      #expect(
        pod["containers"][0]["resources"] == [
          "requests": ["cpu": "500m", "memory": "256Mi"], "limits": ["memory": "256Mi"],
        ])
    }
  }

  @Test func thePodCanHaveTheNetworkOfItsNode() async throws {
    try await World.run { world in
      let job = try await job("host-network.lua", in: world) { $0.spec.parameters = ["host_network": "true"] }
      #expect(job["spec"]["template"]["spec"]["hostNetwork"] == true)
      #expect(job["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirstWithHostNet")
    }
  }

  @Test func jobsAreNamedByTheSitesScheme() async throws {
    try await World.run { world in
      let job = try await job("job-names.lua", in: world) { $0.spec.parameters = ["site": "berlin"] }
      #expect(job["metadata"]["name"].string?.hasPrefix("berlin-nightly-manual-") == true)
    }
  }

  @Test func noRunStartsWhileTheStorageIsMaintained() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      let scripts = try MountedScripts(in: world)
      let window = "DAY, FROM, TO = 7, 1, 5"
      let day = "now.weekday == DAY"
      try scripts.publish([
        "m.lua": try MountedScripts.example(
          "maintenance-window.lua", (window, "DAY, FROM, TO = 7, 0, 24"), (day, "true"))
      ])
      try await world.startController("--hooks-dir", scripts.path)
      try await world.create(world.run("held", from: source, to: destination))
      let held = try await world.wait(for: BucketSync.self, "held", "is held back") {
        $0.condition("LocksAcquired")?.reason == "HeldBack"
      }
      #expect(held.condition("LocksAcquired")?.message == "the storage is being maintained until 24:00 UTC")
      #expect(try await world.all(Job.self).isEmpty)

      // The window is moved away: nobody has to wait for its end.
      try scripts.publish(["m.lua": try MountedScripts.example("maintenance-window.lua", (day, "false"))])
      try await world.wait(for: BucketSync.self, "held", "has its Job") { $0.status?.jobUID != nil }
      try await world.kubectl("delete", "bucketsync", "held")
    }
  }

  @Test func syncsIntoProductionAreRefused() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      let scripts = try MountedScripts(in: world)
      try scripts.publish(["guard.lua": try MountedScripts.example("guard-production.lua")])
      try await world.startController("--hooks-dir", scripts.path)
      var run = world.run("into-production", from: source, to: destination)
      run.spec.destination = "prod-web/assets"
      try await world.create(run)
      let (refused, error) = try await world.failure(of: "into-production")
      #expect(error == "syncs into production are not allowed: prod-web/assets")
      #expect(refused.condition("Failed")?.reason == "Rejected")
      #expect(refused.status?.job == nil)
    }
  }

  @Test(.enabled(if: Testbed.hasEndpoints)) func theResultIsLeftOnThePolicy() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try source.write("object", "content")
      let scripts = try MountedScripts(in: world)
      try scripts.publish(["report.lua": try MountedScripts.example("report.lua")])
      try await world.startController("--hooks-dir", scripts.path)
      try await world.create(world.policy("nightly", from: source, to: destination))
      try await world.syncNow("nightly")
      let name = try await world.onlyRun(of: "nightly").metadata.name
      let run = try await world.success(of: name)
      #expect(run.status?.notes?["reported-at"] != nil)
      let policy = try await world.get(BucketSyncPolicy.self, "nightly")
      #expect(policy.metadata.annotations?["example.com/last-run"] == name)
      #expect(policy.metadata.annotations?["example.com/last-result"] == "Succeeded")
      try await until("the Event is there") {
        try await world.kubectl("get", "events", "--output", "jsonpath={.items[*].reason}").contains("BackupReported")
      }
    }
  }
}

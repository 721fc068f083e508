// What people see of it with kubectl, and what the API server sees of a controller that has nothing to do.

import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import Testing

@Suite("What kubectl shows", .enabled(if: Testbed.hasEndpoints), .explained)
struct PresentationTests {
  @Test func policiesAndRunsHaveTheirColumnsConditionsAndEvents() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController()
      try await world.create(world.policy("nightly", from: source, to: destination, schedule: "@monthly"))
      try await world.syncNow("nightly")
      let run = try await world.onlyRun(of: "nightly").metadata.name
      try await world.success(of: run)

      func table(_ what: String) async throws -> (header: String, row: String) {
        let lines = try await world.kubectl("get", what).split(separator: "\n").map(String.init)
        try #require(lines.count == 2)
        return (lines[0], lines[1])
      }
      let policies = try await table("bsp")
      #expect(policies.header.columns == ["NAME", "SCHEDULE", "LAST SYNC", "NEXT SYNC", "ACTIVE", "READY", "AGE"])
      #expect(policies.row.contains("@monthly"))
      #expect(policies.row.contains("True"))
      let runs = try await table("bs")
      #expect(runs.header.columns == ["NAME", "POLICY", "PHASE", "RESULT", "DURATION", "AGE"])
      #expect(runs.row.columns.prefix(4) == [run, "nightly", "Finished", "Succeeded"])

      let description = try await world.kubectl("describe", "bucketsync", run)
      for word in ["LocksAcquired", "Complete", "JobCreated", "Succeeded"] { #expect(description.contains(word)) }
      try await until("the policy's events are there") {
        try await world.kubectl("describe", "bucketsyncpolicy", "nightly").contains("RunCreated")
      }
    }
  }
}

@Suite("What the controller makes", .enabled(if: Testbed.hasNetwork), .explained)
struct JobTests {
  @Test func theJobIsOfTheRestrictedKindAndCarriesTheLabels() async throws {
    try await World.run { world in
      let sync = try await world.heldSync()
      let controller = try await world.startController()
      var run = world.run("once", sync)
      run.spec.jobLabels = ["team": "storage"]
      run.spec.timeout = "10m"
      try await world.create(run)
      try await world.rcloneRunning("once")

      let json = try await world.kubectl("get", "pod", "--selector", "job-name=once,team=storage", "--output", "json")
      let pod = try JSON.decode(JSONValue.self, from: Data(json.utf8))["items"][0]
      let spec = pod["spec"]
      #expect(spec["securityContext"]["runAsNonRoot"] == true)
      #expect(spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault")
      #expect(spec["automountServiceAccountToken"] == false)
      #expect(spec["enableServiceLinks"] == false)
      #expect(spec["restartPolicy"] == "Never")
      let container = spec["containers"][0]
      #expect(container["securityContext"]["allowPrivilegeEscalation"] == false)
      #expect(container["securityContext"]["readOnlyRootFilesystem"] == true)
      #expect(container["securityContext"]["capabilities"] == ["drop": ["ALL"]])
      #expect(container["volumeMounts"] == [["name": "tmp", "mountPath": "/tmp"]])

      let job = try await world.get(Job.self, "once")
      #expect(job.spec?.activeDeadlineSeconds == 600)
      #expect(job.metadata.controllerOwner?.uid == (try await world.get(BucketSync.self, "once").metadata.uid))
      #expect(job.metadata.labels?["team"] == "storage")
      sync.release()
      try await world.success(of: "once")
      #expect(try await controller.metrics().contains("bucket_sync_runs_total{result=\"Succeeded\"} 1"))
    }
  }
}

@Suite("What an idle controller does", .enabled(if: Testbed.hasEndpoints && Testbed.hasAuditLog), .explained)
struct IdleTests {
  @Test func itWatchesAndRenewsItsLeaseAndDoesNothingElse() async throws {
    try await World.run { world in
      let source = try await world.bucket("from", at: "A")
      let destination = try await world.bucket("to", at: "B")
      try await world.startController("--leader-election")
      var policy = world.policy("nightly", from: source, to: destination)
      policy.metadata.annotations = [BucketSyncNames.Annotation.syncNow: ""]
      try await world.create(policy)
      try await world.wait(for: BucketSyncPolicy.self, "nightly", "has done what it was told") {
        $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil && $0.status?.active == 0
      }
      try await Task.sleep(for: .seconds(5))

      let log = try AuditLog()
      try await Task.sleep(for: .seconds(30))
      let requests = try log.requests(in: world.namespace, by: "bucket-sync/")
      let others = requests.filter { $0.verb != "watch" && $0.resource != "leases" }
      #expect(others.isEmpty, "\(others)")
      // The lease is renewed without being read first.
      let renewals = requests.filter { $0.resource == "leases" }
      #expect(Set(renewals.map(\.verb)) == ["update"], "\(renewals)")
    }
  }
}

/// The API server's log of requests, from now on.
private struct AuditLog {
  struct Request: Hashable {
    var verb: String
    var resource: String
  }

  private let path: String
  private let start: Int

  init() throws {
    path = try Testbed.required("AUDIT_LOG")
    start = try Data(contentsOf: URL(filePath: path)).count
  }

  /// The requests about a namespace that came from a program with such a name.
  func requests(in namespace: String, by agent: String) throws -> [Request] {
    let data = try Data(contentsOf: URL(filePath: path))
    try #require(data.count >= start, "somebody has emptied the log")
    return try data[(data.startIndex + start)...].split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let entry = try? JSON.decode(JSONValue.self, from: Data(line)),
        entry["objectRef"]["namespace"].string == namespace,
        entry["userAgent"].string?.hasPrefix(agent) == true
      else { return nil }
      return Request(
        verb: try #require(entry["verb"].string),
        resource: entry["objectRef"]["resource"].string ?? "-"
      )
    }
  }
}

extension String {
  /// The columns of a line that kubectl prints: at least two spaces are between them, or three.
  fileprivate var columns: [String] {
    split(separator: "  ").map { String($0.trimmingPrefix(while: \.isWhitespace)) }.filter { !$0.isEmpty }
      .map { $0.hasSuffix(" ") ? String($0.dropLast()) : $0 }
  }
}

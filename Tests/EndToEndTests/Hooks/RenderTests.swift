// What `render` prints, held against the API server and against the Job that the controller makes.

import BucketSyncAPI
import FoundationEssentials
import KubernetesModel
import SystemPackage
import Testing

@Suite("What render prints", .enabled(if: Testbed.isEnabled), .explained)
struct RenderTests {
  private static let scripts = Testbed.package.appending("examples/hooks").string

  /// What the command prints for what it reads from standard input.
  private func render(_ arguments: String..., input: String) async throws -> ProgramResult {
    try await Program.run(
      Testbed.executable, ["bucket-sync", "render", "-f", "-"] + arguments,
      // No way to a cluster.
      environment: Testbed.environment.filter { $0.key != "KUBECONFIG" }.merging(["HOME": "/nonexistent"]) { $1 },
      input: input)
  }

  /// An object as people write it.
  private func manifest<Object: KubernetesObject>(_ object: Object) throws -> String {
    var json = try JSON.decode(JSONValue.self, from: JSON.encode(object))
    json["apiVersion"] = .string(Object.resource.apiVersion)
    json["kind"] = .string(Object.resource.kind)
    return String(decoding: try JSON.encode(json), as: UTF8.self)
  }

  @Test func theServerTakesTheJobsOfAllDocumentsAndNothingSecretIsInThem() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      try await world.createSecret("keys", ["ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "hunter2hunter2"])
      var policy = world.policy("nightly", from: source, to: destination)
      policy.spec.parameters = ["trash": "trash", "memory": "1Gi", "tolerate": "backup", "host_network": "true"]
      let run = world.run("once", from: source, to: destination)
      let other = ConfigMap(metadata: ObjectMeta(name: "other", namespace: world.namespace))
      let manifests = try [manifest(policy), manifest(other), manifest(run)].joined(separator: "\n---\n")

      for output in ["yaml", "json"] {
        let rendered = try await render("--hooks-dir", Self.scripts, "-o", output, input: manifests)
        #expect(rendered.code == 0, "\(rendered.errors)")
        #expect(rendered.errors.contains("ConfigMap \(world.namespace)/other: skipped"))
        #expect(rendered.output.contains("secretKeyRef"))
        #expect(rendered.output.contains("--backup-dir=destination:trash/"))
        #expect(!rendered.output.contains("hunter2"))
        let answer = try await world.kubectl(
          "apply", "--dry-run=server", "--validate=false", "--filename", "-", input: rendered.output)
        let lines = answer.split(separator: "\n")
        #expect(lines.count == 2, "\(answer)")
        #expect(lines.allSatisfy { $0.hasPrefix("job.batch/home-") && $0.hasSuffix(" created (server dry run)") })
      }
      #expect(try await world.all(Job.self).isEmpty)
    }
  }

  @Test func itIsTheVeryJobThatTheControllerMakes() async throws {
    try await World.run { world in
      let (source, destination) = try await world.imaginaryBuckets()
      try await world.startController("--hooks-dir", Self.scripts)
      var run = world.run("once", from: source, to: destination)
      run.spec.parameters = ["trash": "trash", "cpu": "500m", "tolerate": "backup", "node_selector": "disk=ssd"]
      let created = try await world.create(run)
      try await world.wait(for: BucketSync.self, "once", "has its Job") { $0.status?.jobUID != nil }
      let jobs = try await world.kubectl("get", "jobs", "--output", "json")
      let real = try JSON.decode(JSONValue.self, from: Data(jobs.utf8))["items"][0]

      let rendered = try await render("--hooks-dir", Self.scripts, "-o", "json", input: try manifest(created))
      #expect(rendered.code == 0, "\(rendered.errors)")
      var job = try JSON.decode(JSONValue.self, from: Data(rendered.output.utf8))
      job["spec"].removeMember("podReplacementPolicy")  // unknown to old servers
      #expect(missing(job, in: real, "job") == [])
      try await world.kubectl("delete", "bucketsync", "once")
    }
  }

  /// What of `wanted` is not in `object`; the server leaves out what is empty, and adds its defaults.
  private func missing(_ wanted: JSONValue, in object: JSONValue, _ path: String) -> [String] {
    switch (wanted, object) {
    case (.object(let members), .object):
      return members.sorted { $0.key < $1.key }.flatMap { missing($1, in: object[$0], "\(path).\($0)") }
    case (.array(let elements), .array(let others)) where elements.count == others.count:
      return zip(elements, others).enumerated().flatMap { missing($1.0, in: $1.1, "\(path)[\($0)]") }
    case ("", .null), ([:], .null), ([], .null): return []
    default: return wanted == object ? [] : ["\(path): \(wanted), not \(object)"]
    }
  }
}

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("The Job that plugins make of a run")
struct JobPlanTests {
  private static func run(_ name: String = "nightly-1") throws -> RunContext {
    var metadata = ObjectMeta(name: name, namespace: "default", labels: [BucketSyncNames.Label.policy: "nightly"])
    metadata.uid = "uid-1"
    let run = BucketSync(metadata: metadata, spec: .init(source: "a", destination: "b"))
    return RunContext(
      run: run, source: try BucketPath("a", field: .source), destination: try BucketPath("b", field: .destination))
  }

  private func plan(_ plugins: [any Plugin], run: RunContext? = nil) async throws -> JobPlan {
    let world = try World(plugins: plugins)
    return try await JobPlan.make(
      run ?? Self.run(), plugins: world.incarnation.services.plugins, recordedName: nil)
  }

  private func refusal(_ plugins: [any Plugin]) async throws -> BlockedRun? {
    do {
      _ = try await plan(plugins)
      return nil
    } catch let blocked as BlockedRun { return blocked }
  }

  @Test("the Job is called as the run, shortened if need be")
  func defaultName() async throws {
    #expect(try await plan([]).name == "nightly-1")
    let long = try await plan([], run: Self.run(String(repeating: "n", count: 100))).name
    #expect(long.utf8.count <= 63)
  }

  @Test("of several names the last one wins, and each plugin sees the one before")
  func names() async throws {
    let plan = try await plan([Namer("One") { $0 + "-x" }, Namer("Two") { "y-" + $0 }])
    #expect(plan.name == "y-nightly-1-x")
    #expect(plan.manifest.json["metadata"]["name"] == "y-nightly-1-x")
  }

  @Test(
    "a name that no Job can have is refused, and the plugin named",
    arguments: ["", "Upper", "-a", "a-", "a..b", "a_b", "ä", String(repeating: "x", count: 64)])
  func badNames(name: String) async throws {
    let blocked = try #require(try await refusal([Namer("Fine") { $0 }, Namer("Culprit") { _ in name }]))
    #expect(blocked.plugin == "Culprit")
    #expect(blocked.point == "jobName")
    #expect(blocked.reason.contains("\"\(name)\""))
  }

  @Test("a name that was recorded is kept, whatever plugins say now")
  func recordedName() async throws {
    let world = try World(plugins: [Namer("New") { _ in "new" }])
    let plan = try await JobPlan.make(
      Self.run(), plugins: world.incarnation.services.plugins, recordedName: "old")
    #expect(plan.manifest.json["metadata"]["name"] == "old")
  }

  @Test("owner, namespace, name and identifying labels cannot be bent; other fields can")
  func pinned() async throws {
    let plan = try await plan([
      Transformer("Bender") { job in
        job.json["metadata"] = [
          "name": "other", "namespace": "kube-system", "generateName": "x-", "uid": "u", "resourceVersion": "1",
          "finalizers": ["x/y"], "ownerReferences": [["kind": "Node", "name": "n", "uid": "z", "controller": true]],
          "labels": .object([BucketSyncNames.Label.runUID: "somebody-else", "mine": "kept"]),
          "annotations": ["note": "kept"],
        ]
        job.json["kind"] = "CronJob"
        job.json["status"] = ["succeeded": 1]
        job.podMetadata["labels"][BucketSyncNames.Label.runUID] = "somebody-else"
        job.podSpec["nodeSelector"]["disk"] = "ssd"
      }
    ])
    let json = plan.manifest.json
    let metadata = json["metadata"]
    #expect(json["kind"] == "Job")
    #expect(json["status"].isNull)
    #expect(metadata["name"] == "nightly-1")
    #expect(metadata["namespace"] == "default")
    for field in ["generateName", "uid", "resourceVersion", "finalizers"] { #expect(metadata[field].isNull) }
    #expect(metadata["ownerReferences"].array?.count == 1)
    #expect(metadata["ownerReferences"][0]["uid"] == "uid-1")
    for labels in [metadata["labels"], plan.manifest.podMetadata["labels"]] {
      #expect(labels[BucketSyncNames.Label.runUID] == "uid-1")
      #expect(labels[BucketSyncNames.Label.managedBy] == .string(BucketSyncNames.controller))
      #expect(labels[BucketSyncNames.Label.run] == "nightly-1")
      #expect(labels[BucketSyncNames.Label.policy] == "nightly")
    }
    #expect(metadata["labels"]["mine"] == "kept")
    #expect(metadata["annotations"]["note"] == "kept")
    #expect(plan.manifest.podSpec["nodeSelector"]["disk"] == "ssd")
  }

  struct Refused: Sendable {
    var field: String
    var change: @Sendable (inout JobManifest) -> Void
  }

  static let bad: [Refused] = [
    Refused(field: "manifest") { $0.json = ["not", "an", "object"] },
    Refused(field: "spec.parallelism") { $0.json["spec"]["parallelism"] = 2 },
    Refused(field: "spec.parallelism") { $0.json["spec"]["parallelism"] = 0 },
    Refused(field: "spec.completions") { $0.json["spec"]["completions"] = "one" },
    Refused(field: "spec.ttlSecondsAfterFinished") { $0.json["spec"]["ttlSecondsAfterFinished"] = 5 },
    Refused(field: "spec.manualSelector") { $0.json["spec"]["manualSelector"] = true },
    Refused(field: "spec.selector") { $0.json["spec"]["selector"] = ["matchLabels": [:]] },
    Refused(field: "spec.template.spec.containers") { $0.podSpec["containers"] = [] },
    Refused(field: "spec.template.spec.containers") { $0.json["spec"] = nil },
  ]

  @Test("what would break exclusiveness is refused, naming field and plugin", arguments: 0..<9)
  func refused(index: Int) async throws {
    let test = Self.bad[index]
    let plugins: [any Plugin] = [Transformer("Fine") { _ in }, Transformer("Culprit", test.change)]
    let blocked = try #require(try await refusal(plugins))
    #expect(blocked.plugin == "Culprit")
    #expect(blocked.point == "buildJob")
    #expect(blocked.reason.contains(test.field))
  }

  @Test("a plugin that throws is named")
  func throwing() async throws {
    let blocked = try #require(try await refusal([Namer("Broken") { _ in throw Trouble("out of names") }]))
    #expect(blocked.description == "plugin Broken failed at jobName: out of names")
  }
}

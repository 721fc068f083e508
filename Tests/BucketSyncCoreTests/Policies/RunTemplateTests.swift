import BucketSyncAPI
import KubernetesModel
import TestSupport
import Testing

@testable import BucketSyncCore

@Suite("The runs that a policy makes")
struct RunTemplateTests {
  private let tick = Timestamp(unixSeconds: 1_705_284_000)

  private func policy(_ name: String) -> BucketSyncPolicy {
    var metadata = ObjectMeta(name: name, namespace: "default")
    metadata.uid = "uid-\(name)"
    var spec = BucketSyncPolicy.Spec(source: "a", destination: "b", schedule: "@daily")
    spec.jobLabels = ["team": "x"]
    spec.timeout = "1h"
    return BucketSyncPolicy(metadata: metadata, spec: spec)
  }

  @Test("a scheduled run is named after its policy and tick, and takes over the spec")
  func scheduled() {
    let run = policy("nightly").scheduledRun(at: tick)
    #expect(run.metadata.name == "nightly-1705284000")
    #expect(run.metadata.namespace == "default")
    #expect(run.tick == tick)
    #expect(run.isScheduled)
    #expect(run.metadata.controllerOwner?.uid == "uid-nightly")
    #expect(run.metadata.finalizers == [BucketSyncNames.finalizer])
    #expect(run.spec.jobLabels == ["team": "x"])
    #expect(run.spec.timeout == "1h")
  }

  @Test("a manual run stands for no tick")
  func manual() {
    let run = policy("nightly").manualRun(named: "nightly-manual-1")
    #expect(!run.isScheduled)
    #expect(run.metadata.labels?[BucketSyncNames.Label.trigger] == "manual")
  }

  @Test("manual runs of the same second get different names")
  func manualNames() {
    let taken: Set = ["nightly-manual-1705284000", "nightly-manual-1705284001"]
    #expect(policy("nightly").manualRunName(at: tick) { taken.contains($0) } == "nightly-manual-1705284002")
  }

  @Test(
    "names of any length stay valid, short enough for a Job, and apart", arguments: [1, 45, 46, 52, 53, 63, 64, 253])
  func longNames(length: Int) {
    let twins = ["a", "b"].map { String(repeating: "p", count: length - 1) + $0 }
    let names = twins.flatMap { name in
      [policy(name).scheduledRun(at: tick).metadata.name, policy(name).manualRunName(at: tick) { _ in false }]
    }
    #expect(Set(names).count == 4)
    for name in names {
      #expect(name.utf8.count <= 63)
      #expect(Naming.isSubdomain(name))
    }
  }

  @Test("a dot where a long name is cut leaves a valid name")
  func dots() {
    let name = policy(String(repeating: "a.", count: 100) + "z").scheduledRun(at: tick).metadata.name
    #expect(Naming.isSubdomain(name))
  }

  @Test("a policy whose name is too long for a label gives none")
  func label() {
    let label = BucketSyncNames.Label.policy
    #expect(policy("nightly").scheduledRun(at: tick).metadata.labels?[label] == "nightly")
    let long = policy(String(repeating: "p", count: 64))
    #expect(long.scheduledRun(at: tick).metadata.labels?[label] == nil)
  }
}

@Suite("The record of a trigger")
struct TriggerRecordTests {
  @Test("reads back what it wrote", arguments: ["", "x", "a=b", "=", "before the upgrade", "ünïcödé"])
  func roundTrip(value: String) {
    let record = TriggerRecord(run: "nightly-manual-1", answering: value)
    #expect(TriggerRecord(record.text) == record)
  }

  @Test("is none without a run", arguments: ["", "=x"])
  func broken(text: String) {
    #expect(TriggerRecord(text) == nil)
  }
}

import BucketSyncAPI
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Synchronization
import TestSupport
import Testing

@testable import BucketSyncOperator

@Suite("Objects for people")
struct ObjectsTests {
  @Test(
    "ages are told as kubectl does",
    arguments: [
      (0, "0s"), (119, "119s"), (120, "2m"), (192, "3m12s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"),
      (12_000, "3h20m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (180_000, "2d2h"), (691_200, "8d"),
      (63_072_000, "2y"), (-5, "0s"),
    ] as [(Int64, String)])
  func ages(seconds: Int64, text: String) {
    #expect(Age.text(since: Timestamp(unixSeconds: 0), now: Timestamp(unixSeconds: seconds)) == text)
  }

  @Test("columns are as wide as what they hold, and lines have no blanks at their ends")
  func table() {
    let table = TextTable(header: ["NAME", "B"], rows: [["a", ""], ["longer", "x"]])
    #expect(table.lines() == ["NAME     B", "a", "longer   x"])
    #expect(TextTable(header: ["A", "B"], rows: [["1", "2"]]).lines(withHeader: false, widths: [4]) == ["1      2"])
  }

  @Test("a server's table is shown with the columns that were asked for; nothing in it steers the terminal")
  func serverTable() {
    let answer: JSONValue = [
      "kind": "Table",
      "columnDefinitions": [
        ["name": "Name", "priority": 0], ["name": "Active", "priority": 0], ["name": "Error", "priority": 1],
      ],
      "rows": [
        ["cells": ["a", 3, "one\nand two"], "object": ["metadata": ["namespace": "x"]]],
        ["cells": ["b\u{1B}[2J", nil, nil], "object": ["metadata": ["namespace": "y"]]],
      ],
    ]
    let table = ServerTable(answer, type: BucketSync.resource)
    #expect(
      table.text(isWide: false, withNamespace: true).lines() == [
        "NAMESPACE   NAME   ACTIVE", "x           a      3", "y           b[2J",
      ])
    #expect(table.text(isWide: true, withNamespace: false).lines()[1] == "a      3        one...")
    let next = ServerTable(
      ["kind": "Table", "rows": [["cells": ["c", 1, ""]]]], type: BucketSync.resource, after: table)
    #expect(next.text(isWide: false, withNamespace: false).lines(withHeader: false) == ["c      1"])
  }

  @Test("misspelt names suggest near ones")
  func nearNames() {
    let names = ["photos", "music", "photos-daily"]
    #expect(NearNames.suggestion(for: "photo", among: names) == ", did you mean photos or photos-daily?")
    #expect(NearNames.suggestion(for: "musci", among: names) == "")
    #expect(NearNames.suggestion(for: "musi", among: names) == ", did you mean music?")
    #expect(NearNames.suggestion(for: "zzz", among: names) == "")
  }

  @Test("kinds go by their own names and by kubectl's")
  func kinds() throws {
    for name in ["run", "runs", "bs", "BucketSync", "bucketsyncs.bucket-sync.homelab-helper.benfiola.com"] {
      #expect(try ObjectKind.of(name) == .runs)
    }
    #expect(throws: CommandFailure.self) { try ObjectKind.of("deployments") }
  }

  @Test("values that may be secret are not described")
  func secrets() {
    #expect(RemoteVariable.text(EnvVar(name: "TYPE", value: "s3")) == "s3")
    #expect(RemoteVariable.text(EnvVar(name: "SECRET_ACCESS_KEY", value: "hunter2")) == "set (not shown)")
    #expect(RemoteVariable.text(EnvVar(name: "PASS", value: "hunter2")) == "set (not shown)")
    #expect(RemoteVariable.text(EnvVar(name: "ENDPOINT", value: "https://me:hunter2@s3")) == "set (not shown)")
    #expect(
      RemoteVariable.text(EnvVar(name: "K", valueFrom: ["secretKeyRef": ["name": "s", "key": "k"]]))
        == "from Secret s, key k")
  }

  @Test(
    "flags may stand before the command, too",
    arguments: [
      (["bucket-sync", "get", "--namespace", "x"], ["bucket-sync", "get", "--namespace", "x"]),
      (["bucket-sync", "--namespace", "x", "get", "runs"], ["bucket-sync", "get", "--namespace", "x", "runs"]),
      (
        ["bucket-sync", "--namespace=x", "-n", "y", "cancel", "a"],
        ["bucket-sync", "cancel", "--namespace=x", "-n", "y", "a"]
      ),
      (["bucket-sync", "--namespace", "get"], nil), (["bucket-sync", "--leader-election"], nil), (["version"], nil),
      (["bucket-sync"], nil), (["bucket-sync", "--help"], nil),
    ] as [([String], [String]?)])
  func order(arguments: [String], ordered: [String]?) {
    #expect(BucketSyncTools<BuiltInPlugins>.arguments(in: arguments) == ordered)
  }

  @Test("without a standalone operator at the socket, the message says how to start one")
  func socket() throws {
    let folder = try TemporaryFolder()
    let failure = #expect(throws: CommandFailure.self) {
      try StandaloneSocket.check(folder.path, folder: "/srv/buckets")
    }
    #expect(failure?.description.contains("homelab-helper bucket-sync standalone /srv/buckets") == true)
    // A file that nobody listens at, as a process that was killed leaves it.
    try folder.write("api.sock", "")
    #expect(throws: CommandFailure.self) { try StandaloneSocket.check(folder.path, folder: nil) }
  }
}

@Suite("Triggering and cancelling")
struct TriggerTests {
  private let time = ManualTime()
  private let server: InMemoryAPIServer
  private let site: ObjectSite

  init() {
    server = InMemoryAPIServer(time: time)
    site = ObjectSite(client: KubernetesClient(transport: server, time: time), time: time)
  }

  private func policy(_ annotations: [String: String] = [:]) throws -> BucketSyncPolicy {
    try server.create(
      BucketSyncPolicy(
        metadata: ObjectMeta(name: "photos", namespace: "default", annotations: annotations),
        spec: BucketSyncPolicy.Spec(source: "a", destination: "b", schedule: "@daily")))
  }

  @Test("the run's name is that of the record which answers this trigger, not another one's")
  func name() async throws {
    let trigger = SyncNowTrigger(
      try policy([BucketSyncNames.Annotation.syncNow: "old", BucketSyncNames.Annotation.syncNowRun: "photos-old=old"]),
      site: site)
    #expect(trigger.isSecond)
    try await trigger.pull()
    async let name = trigger.runName()
    try await eventually { server.watcherCount > 0 }
    server.change(BucketSyncPolicy.self, ObjectKey(namespace: "default", name: "photos")) { policy in
      policy["metadata"]["annotations"][BucketSyncNames.Annotation.syncNowRun] = .string("photos-new=\(trigger.value)")
    }
    #expect(try await name == "photos-new")
  }

  @Test("a run that was so quick that its trigger is gone again is found by the policy's status")
  func quick() async throws {
    let trigger = SyncNowTrigger(try policy(), site: site)
    #expect(!trigger.isSecond)
    try await trigger.pull()
    server.change(BucketSyncPolicy.self, ObjectKey(namespace: "default", name: "photos")) { policy in
      policy["metadata"]["annotations"] = [:]
      policy["status"]["lastManualRun"] = "photos-quick"
    }
    #expect(try await trigger.runName() == "photos-quick")
  }

  @Test("a finished run is left alone unless forced; a running one is deleted by its UID, and waited for")
  func cancel() async throws {
    let said = Said()
    var status = BucketSync.Status()
    status.phase = .finished
    status.result = .succeeded
    let spec = BucketSync.Spec(source: "a", destination: "b")
    try server.create(BucketSync(metadata: ObjectMeta(name: "old", namespace: "default"), spec: spec, status: status))
    try server.create(
      BucketSync(metadata: ObjectMeta(name: "young", namespace: "default", finalizers: ["release"]), spec: spec))
    var cancel = CancelRuns(site: site, print: { said.add($0) }, warn: { said.add($0) })
    #expect(try await cancel.cancel(["old"]) == false)
    #expect(said.all.first?.contains("--force") == true)
    #expect(server.find(BucketSync.self, ObjectKey(namespace: "default", name: "old")) != nil)
    cancel.isForced = true
    #expect(try await cancel.cancel(["old"]))
    #expect(server.find(BucketSync.self, ObjectKey(namespace: "default", name: "old")) == nil)

    said.clear()
    let waiting = cancel
    async let isFine = waiting.cancel(["young"])
    try await eventually {
      server.find(BucketSync.self, ObjectKey(namespace: "default", name: "young"))?.metadata.deletionTimestamp != nil
    }
    try await eventually { server.watcherCount > 0 }
    #expect(said.all.isEmpty)
    server.change(BucketSync.self, ObjectKey(namespace: "default", name: "young")) {
      $0["metadata"]["finalizers"] = []
    }
    #expect(try await isFine)
    #expect(said.all == ["run young cancelled"])
  }
}

/// What a command printed.
private final class Said: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  func clear() { lines.withLock { $0 = [] } }
}

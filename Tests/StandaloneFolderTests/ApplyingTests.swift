import FoundationEssentials
import KubernetesClient
import KubernetesModel
import StandaloneFolder
import TestSupport
import Testing

@Suite("A folder of manifests: applying")
struct ApplyingTests {
  @Test("manifests of all forms are applied: several documents, lists, JSON, subfolders, core types first")
  func forms() async throws {
    let site = try Site()
    try site.write("two.yaml", policyText("a") + "---\n" + policyText("b") + "---\n# nothing\n")
    try site.write(
      "one.json",
      #"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json", "namespace": "x"}, "data": {"k": "\ud83d\ude00"}}"#
    )
    try site.folder.makeFolder("deep")
    try site.folder.makeFolder("deep/er")
    try site.write(
      "deep/er/list.yml",
      """
      kind: List
      apiVersion: v1
      items:
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {k: v}}
      """)
    try await site.whileApplied { manifests in
      #expect(manifests.problems.isEmpty)
      #expect(site.policyNames == ["a", "b"])
      #expect(site.object(Site.configMaps, "json", namespace: "x")?["data"]["k"] == "\u{1F600}")
      #expect(
        site.object(Site.configMaps, "listed")?["metadata"]["annotations"][Site.mark] == "deep/er/list.yml")
      let writes = site.connection.sent.filter(\.isWrite).map(\.path)
      let firstPolicy = try #require(writes.firstIndex { $0.hasSuffix("policies") })
      #expect(writes[firstPolicy...].allSatisfy { $0.hasSuffix("policies") })
    }
  }

  @Test("hidden files and folders, backups, other names and other kinds are left out")
  func leftOut() async throws {
    let site = try Site()
    try site.folder.makeFolder(".git")
    for name in [".git/x.yaml", ".x.yaml", "#x.yaml#", "#x.yaml", "x.yaml~", "~x.yaml", "x.txt", "x.yaml.swp"] {
      try site.write(name, policyText("hidden"))
    }
    try site.write("web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n" + policyText("a"))
    try await site.whileApplied { manifests in
      #expect(site.policyNames == ["a"])
      #expect(
        manifests.problems.map(\.description) == [
          "web.yaml:1:1: Deployment web: objects of this kind are not used here"
        ])
      #expect(manifests.problems.first?.severity == .notice)
    }
  }

  @Test("a second look at an unchanged folder, by a new process too, writes nothing")
  func idle() async throws {
    let site = try Site()
    try site.write("a.yaml", policyText("a") + "---\n" + policyText("b"))
    try await site.whileApplied { _ in }
    let revision = site.revision
    let sent = site.connection.sent.count
    try await site.whileApplied { _ in
      try site.write("unrelated.txt", "x")
      try site.save("a.yaml", policyText("a") + "---\n" + policyText("b") + "# a comment\n")
      try site.save("c.yaml", policyText("c"))
      try await eventually("c") { site.policy("c") != nil }
    }
    #expect(site.revision == revision + 1)
    let patches = site.connection.sent.dropFirst(sent).filter { $0.method == .patch }
    #expect(patches.isEmpty)
  }

  @Test("an edit changes what the file says and removes what it says no more, and leaves alone what others have set")
  func threeWays() async throws {
    let site = try Site()
    try site.write("a.yaml", policyText("a", more: "  suspend: true\n  parameters: {x: '1', y: '2'}"))
    try await site.whileApplied { _ in
      let key = ObjectKey(namespace: "default", name: "a")
      let client = KubernetesClient(transport: site.server, time: SystemTime())
      _ = try await client.patch(
        Site.policies, key,
        .merge([
          "metadata": ["annotations": ["sync-now": "now"]], "spec": ["syncHistoryLimit": 3], "status": ["active": 1],
        ]))
      try site.save("a.yaml", policyText("a", schedule: "@hourly", more: "  parameters: {x: '3'}"))
      try await eventually("the change") { site.policy("a")?["spec"]["schedule"] == "@hourly" }
      let object = try #require(site.policy("a"))
      #expect(
        object["spec"] == [
          "source": "a", "destination": "b", "schedule": "@hourly", "syncHistoryLimit": 3, "parameters": ["x": "3"],
        ])
      #expect(object["metadata"]["annotations"]["sync-now"] == "now")
      #expect(object["metadata"]["generation"] == 3)
    }
  }

  @Test("kubectl's output can be put into the folder as it is")
  func exported() async throws {
    let site = try Site()
    try site.write(
      "a.yaml",
      """
      apiVersion: bucket-sync.homelab-helper.benfiola.com/v1
      kind: BucketSyncPolicy
      metadata:
        annotations:
          \(Site.lastApplied): "{}"
        creationTimestamp: "2024-01-15T02:00:00Z"
        generation: 7
        name: a
        resourceVersion: "12"
        uid: other
      spec: {source: a, destination: b, schedule: null}
      status: {active: 3}
      """)
    try await site.whileApplied { manifests in
      #expect(manifests.problems.isEmpty)
      let object = try #require(site.policy("a"))
      #expect(object["metadata"]["uid"] != "other")
      #expect(object["spec"] == ["source": "a", "destination": "b"])
      #expect(object["status"].isNull)
    }
  }

  @Test("a Secret's values get into the object and nowhere else")
  func secrets() async throws {
    let site = try Site()
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {A: hunter2, B: b}\ndata: {C: Yw==}\n"
    try site.write("s.yaml", text)
    try await site.whileApplied { manifests in
      var object = try #require(site.object(Site.secrets, "s"))
      #expect(object["data"] == ["A": "aHVudGVyMg==", "B": "Yg==", "C": "Yw=="])
      let last = try #require(object["metadata"]["annotations"][Site.lastApplied].string)
      #expect(!last.contains("hunter2") && !last.contains("aHVudGVyMg"))
      #expect(last.contains(#""data":{"A":"","B":"","C":""}"#))

      try site.save("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {A: hunter3}\n")
      try await eventually("the change") { site.object(Site.secrets, "s")?["data"] == ["A": "aHVudGVyMw=="] }

      try site.save("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {A: 'hunter4!'}\n")
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(
        manifests.problems.map(\.description) == [
          "s.yaml:4:8: Secret s: data.A: is not base64; plain text goes under stringData"
        ])
      object = try #require(site.object(Site.secrets, "s"))
      #expect(object["data"] == ["A": "aHVudGVyMw=="])
      #expect(!site.log.all.joined().contains("hunter"))
    }
  }

  @Test("what the API fails to do for a passing reason is done later, with growing pauses")
  func retries() async throws {
    let time = ManualTime()
    let site = try Site(time: time) { number, request in
      request.method == .post && number < 6 ? .serverError : nil
    }
    try site.write("a.yaml", policyText("a"))
    try await site.whileApplied { manifests in
      #expect(manifests.problems.map(\.severity) == [.passing])
      try await time.untilSleeping(for: .milliseconds(500))
      time.advance(by: .milliseconds(500))
      try await time.untilSleeping(for: .seconds(1))
      time.advance(by: .seconds(1))
      try await eventually("the object") { site.policy("a") != nil }
      try await eventually("no problem") { manifests.problems.isEmpty }
      #expect(site.log.all.filter { $0.hasPrefix("warning") }.count == 1)
      #expect(site.log.all.contains("notice: the manifest is well again file=a.yaml"))
    }
  }

  @Test("a thousand files are applied, and an edit of one of them costs one write")
  func many() async throws {
    let site = try Site()
    for number in 0..<1000 { try site.write("p\(number).yaml", policyText("p\(number)")) }
    try await site.whileApplied { _ in
      #expect(site.policyNames.count == 1000)
      let sent = site.connection.sent.count
      try site.save("p7.yaml", policyText("p7", schedule: "@hourly"))
      try await eventually("the change") { site.policy("p7")?["spec"]["schedule"] == "@hourly" }
      // Asked for, tried, written.
      #expect(site.connection.sent.dropFirst(sent).map(\.method) == [.get, .patch, .patch])
      #expect(site.revision == 2001)
    }
  }

  @Test("an object that is being deleted is made anew when it is gone")
  func terminating() async throws {
    let time = ManualTime()
    let site = try Site(time: time)
    let client = KubernetesClient(transport: site.server, time: time)
    let key = ObjectKey(namespace: "default", name: "a")
    _ = try await client.create(
      ["metadata": ["name": "a", "finalizers": ["x"]], "spec": ["source": "old"]], of: Site.policies,
      namespace: "default")
    try await client.delete(Site.policies, key)
    try site.write("a.yaml", policyText("a"))
    try await site.whileApplied { manifests in
      #expect(site.policy("a")?["spec"]["source"] == "old")
      #expect(manifests.problems.map(\.severity) == [.passing])
      _ = try await client.patch(Site.policies, key, .merge(["metadata": ["finalizers": []]]))
      try await time.untilSleeping(for: .milliseconds(500))
      time.advance(by: .milliseconds(500))
      try await eventually("the new object") { site.policy("a")?["spec"]["source"] == "a" }
    }
  }
}

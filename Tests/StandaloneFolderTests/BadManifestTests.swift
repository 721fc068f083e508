import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneFolder
import TestSupport
import Testing

@Suite("A folder of manifests: bad ones")
struct BadManifestTests {
  @Test(
    "what is wrong is told with file, line and field",
    arguments: [
      ("a: [", "x.yaml:2:1: did not find expected node content while parsing a flow node"),
      ("a: 1\na: 2", "x.yaml:2:1: the key a is there twice"),
      ("text", "x.yaml:1:1: is no object: a manifest has apiVersion, kind and metadata"),
      ("\nmetadata: {name: x}", "x.yaml:2:1: kind: is missing"),
      ("kind: ConfigMap", "x.yaml:1:1: ConfigMap: apiVersion: is missing"),
      (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: x",
        "x.yaml:3:1: ConfigMap: metadata.name: is missing"
      ),
      (
        "apiVersion: bucket-sync.homelab-helper.benfiola.com/v2\nkind: BucketSyncPolicy\nmetadata: {name: x}",
        "x.yaml:1:1: BucketSyncPolicy x: apiVersion: \"bucket-sync.homelab-helper.benfiola.com/v2\" must be "
          + "bucket-sync.homelab-helper.benfiola.com/v1"
      ),
      (
        "apiVersion: bucket-sync.homelab-helper.benfiola.com/v1\nkind: BucketSyncPolcy\nmetadata: {name: x}",
        "x.yaml:2:1: BucketSyncPolcy x: kind: \"BucketSyncPolcy\" is no kind of "
          + "bucket-sync.homelab-helper.benfiola.com/v1: it has BucketSyncPolicy"
      ),
      (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: b\n  limit: 10",
        "x.yaml:6:3: ConfigMap x: data.limit: must be text; quote numbers and booleans"
      ),
      (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  annotations: {a: true}",
        "x.yaml:5:3: ConfigMap x: metadata.annotations: must be a map of text to text; quote numbers and booleans"
      ),
    ])
  func places(text: String, problem: String) async throws {
    let site = try Site()
    try site.write("x.yaml", text)
    try site.write("y.yaml", policyText("y"))
    try await site.whileApplied { manifests in
      #expect(manifests.problems.map(\.description) == [problem])
      #expect(site.policyNames == ["y"])
      #expect(site.log.all.contains("error: manifest not applied problem=\(problem)"))
    }
  }

  @Test("files that are no text, too large, unreadable or dangling links are told of, and the others applied")
  func unreadable() async throws {
    let site = try Site()
    try site.folder.write("latin.yaml", bytes: [0x61, 0x3A, 0xE9, 0x0A])
    try site.write("large.yaml", String(repeating: "#", count: 9 << 20))
    #expect(symlink("nowhere.yaml", site.path + "/link.yaml") == 0)
    #expect(mkfifo(site.path + "/pipe.yaml", 0o600) == 0)
    try site.write("y.yaml", policyText("y"))
    try await site.whileApplied { manifests in
      #expect(
        manifests.problems.map(\.description) == [
          "large.yaml: is larger than 8 MiB; split it up", "latin.yaml: is not UTF-8 text",
          "link.yaml: cannot be read: No such file or directory", "pipe.yaml: is no regular file",
        ])
      #expect(site.policyNames == ["y"])
    }
  }

  @Test("a file that breaks keeps its objects, the one that it lost in the same edit too, until it is whole again")
  func broken() async throws {
    let site = try Site()
    try site.write("x.yaml", policyText("a") + "---\n" + policyText("b"))
    try await site.whileApplied { manifests in
      try site.save("x.yaml", policyText("a", schedule: "@hourly") + "---\nkind: [\n")
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(site.policyNames == ["a", "b"])
      #expect(site.policy("a")?["spec"]["schedule"] == "@daily")
      try site.save("x.yaml", policyText("a", schedule: "@hourly") + "---\nkind: BucketSyncPolicy\n")
      try await eventually("the good document") { site.policy("a")?["spec"]["schedule"] == "@hourly" }
      #expect(site.policyNames == ["a", "b"])
      try site.save("x.yaml", policyText("a", schedule: "@hourly"))
      try await eventually("the end of b") { site.policyNames == ["a"] }
      try await eventually("no problem") { manifests.problems.isEmpty }
      #expect(site.log.all.contains("notice: the manifest is well again file=x.yaml"))
    }
  }

  @Test("an object that moves into a file that cannot be read stays")
  func movedIntoBroken() async throws {
    let site = try Site()
    try site.write("x.yaml", policyText("moving") + "---\n" + policyText("leaving") + "---\n" + policyText("staying"))
    try await site.whileApplied { manifests in
      try site.save("broken.yaml", policyText("moving") + "---\n{")
      try site.save("x.yaml", policyText("staying"))
      try await eventually("the end of the other") { site.policyNames == ["moving", "staying"] }
      try site.save("broken.yaml", policyText("other"))
      try await eventually("the end of the moved one") { site.policyNames == ["other", "staying"] }
    }
  }

  @Test("what the API refuses is told with the field's line, once, and the stored object stays")
  func refused() async throws {
    let site = try Site { _, request in
      guard request.method == .post || request.method == .patch, let body = request.body,
        String(decoding: body, as: UTF8.self).contains("@dayly\"")
      else { return nil }
      return .refused(
        Refusal(422, "Invalid", "no schedule", cause: "FieldValueInvalid", field: "spec.schedule"))
    }
    try site.write("x.yaml", "# first\n" + policyText("a"))
    try await site.whileApplied { manifests in
      try site.save("x.yaml", "# first\n" + policyText("a", schedule: "@dayly"))
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(
        manifests.problems.map(\.description) == [
          "x.yaml:9:3: BucketSyncPolicy default/a: spec.schedule: no schedule"
        ])
      #expect(site.policy("a")?["spec"]["schedule"] == "@daily")
      try site.save("y.yaml", policyText("y"))
      try await eventually("y") { site.policy("y") != nil }
      #expect(site.log.all.filter { $0.contains("no schedule") }.count == 1)
      // Refused, an object of the file's is no reason to take others away.
      try site.save("x.yaml", policyText("b", schedule: "@dayly"))
      try await eventually("the problem of b") { manifests.problems.first?.object == "BucketSyncPolicy default/b" }
      #expect(site.policyNames == ["a", "y"])
      try site.save("x.yaml", policyText("b"))
      try await eventually("b instead of a") { site.policyNames == ["b", "y"] }
    }
  }

  @Test("a field that the server drops is told of, and nothing is stored")
  func dropped() async throws {
    let time = SystemTime()
    let server = InMemoryAPIServer(time: time)
    let site = try Site(
      time: time, transport: ForgetfulServer(server: server, known: ["source", "destination", "schedule"]))
    try site.write("x.yaml", policyText("a", more: "  schedul: '@hourly'\n  parametres: {x: '1'}"))
    try await site.whileApplied { manifests in
      #expect(
        manifests.problems.map(\.description) == [
          "x.yaml:9:3: BucketSyncPolicy default/a: spec.schedul: is no field of BucketSyncPolicy, or stands in the wrong "
            + "place",
          "x.yaml:10:3: BucketSyncPolicy default/a: spec.parametres: is no field of BucketSyncPolicy, or stands in the "
            + "wrong place",
        ])
      #expect(server.objects.isEmpty)
      try site.save("x.yaml", policyText("a"))
      try await eventually("the object") { !server.objects.isEmpty }
      try site.save("x.yaml", policyText("a", schedule: "@hourly", more: "  suspnd: true"))
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(server.objects.values.first?["spec"]["schedule"] == "@daily")
    }
  }

  @Test("a field that the server refuses as unknown is told with its line")
  func strict() async throws {
    let site = try Site { _, request in
      request.method == .post
        ? .refused(
          Refusal(
            400, "BadRequest",
            "BucketSyncPolicy in version \"v1\" cannot be handled as a BucketSyncPolicy: strict decoding error: "
              + "unknown field \"spec.schedul\", unknown field \"spec.env[0].nam\"")) : nil
    }
    try site.write("x.yaml", policyText("a", more: "  schedul: x\n  env:\n  - nam: y"))
    try await site.whileApplied { manifests in
      #expect(manifests.problems.map(\.field) == ["spec.schedul", "spec.env[0].nam"])
      #expect(manifests.problems.map(\.place?.line) == [9, 11])
    }
  }

  @Test("of two manifests of one object the one that was there first counts, and the other is told of")
  func duplicates() async throws {
    let site = try Site()
    try site.write("m.yaml", policyText("a"))
    try await site.whileApplied { manifests in
      try site.save("b.yaml", policyText("a", schedule: "@hourly"))
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(
        manifests.problems.map(\.description) == [
          "b.yaml:1:1: BucketSyncPolicy default/a: is in m.yaml:1 already, which counts; remove one of them"
        ])
      #expect(site.policy("a")?["spec"]["schedule"] == "@daily")
      try site.folder.remove("m.yaml")
      try await eventually("the other one's turn") { site.policy("a")?["spec"]["schedule"] == "@hourly" }
      #expect(site.policy("a")?["metadata"]["uid"] == "uid-1")
      #expect(site.policy("a")?["metadata"]["annotations"][Site.mark] == "b.yaml")
    }
  }

  @Test("a change that the veto is against is told of, and not made")
  func veto() async throws {
    let site = try Site()
    let manifests = site.manifests(veto: { stored, wanted in
      stored["spec"]["source"] == wanted["spec"]["source"] ? nil : ("spec.source", "the run has finished")
    })
    try site.write("x.yaml", policyText("a"))
    try await site.whileApplied(manifests) { manifests in
      try site.save("x.yaml", policyText("a").replacing("source: a", with: "source: z"))
      try await eventually("the problem") { !manifests.problems.isEmpty }
      #expect(
        manifests.problems.map(\.description) == [
          "x.yaml:6:3: BucketSyncPolicy default/a: spec.source: the run has finished"
        ])
      #expect(site.policy("a")?["spec"]["source"] == "a")
    }
  }
}

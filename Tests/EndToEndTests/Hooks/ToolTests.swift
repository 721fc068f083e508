// The commands for those who write scripts; they need no cluster.

import SystemPackage
import TestSupport
import Testing

@Suite("The tools for scripts", .enabled(if: Testbed.isEnabled), .explained)
struct ToolTests {
  private static let examples = Testbed.package.appending("examples/hooks").string
  private static let limited = """
    return {
      api = 1,
      build_job = function(ctx, job)
        rclone.flag(job, "bwlimit", ctx.params.bwlimit)
        return job
      end,
    }
    """

  private func bucketSync(_ arguments: String..., input: String = "") async throws -> ProgramResult {
    try await Program.run(
      Testbed.executable, ["bucket-sync"] + arguments, environment: ["PATH": "/usr/bin:/bin"], input: input)
  }

  private func folder(_ files: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(name, text) }
    return folder
  }

  @Test func pluginsTellsPointsOrderAndSources() async throws {
    let plain = try await bucketSync("plugins")
    #expect(
      plain.output == """
        POINT      PLUGIN       SOURCE
        preLock    -            -
        jobName    -            -
        buildJob   RcloneJob    built in
        lock       BucketLock   built in
        postSync   -            -

        """)
    let withScripts = try await bucketSync("plugins", "--hooks-dir", Self.examples)
    #expect(
      withScripts.output == """
        POINT      PLUGIN       SOURCE
        preLock    LuaHooks     guard-production.lua, maintenance-window.lua
        jobName    LuaHooks     job-names.lua
        buildJob   RcloneJob    built in
        buildJob   LuaHooks     backup-dir.lua, bandwidth-by-hour.lua, flags-by-label.lua, host-network.lua, placement.lua
        lock       BucketLock   built in
        postSync   LuaHooks     report.lua

        """)
  }

  @Test func checkTellsEveryProblemWithItsPlace() async throws {
    let scripts = try folder(["a.lua": "return {", "b.lua": "return 1", "good.lua": Self.limited])
    let result = try await bucketSync("hooks", "check", scripts.path)
    #expect(result.code == 1)
    #expect(result.output == "ok: good.lua (build_job)\n")
    #expect(result.errors.contains("a.lua:1: unexpected symbol near <eof>"))
    #expect(result.errors.contains("b.lua: a script returns a table"))
    #expect(try await bucketSync("hooks", "check", Self.examples).code == 0)
    #expect(try await bucketSync("hooks", "check", "/no/such/folder").code == 1)
  }

  @Test(arguments: [
    (spec: "{source: a, destination: b, schedule: '@daily', parameters: {bwlimit: 10}}", path: "spec.parameters"),
    (spec: "{source: a, destination: b, schedule: '@daily', schedul: x}", path: "spec.schedul:"),
    (
      spec: "{source: a, destination: b, schedule: '@daily', sourceEnv: [{name: A, valu: x}]}",
      path: "spec.sourceEnv[0].valu:"
    ),
  ])
  func renderTellsWhatWouldBeLost(spec: String, path: String) async throws {
    let group = "apiVersion: bucket-sync.homelab-helper.benfiola.com"
    let rest = "kind: BucketSyncPolicy\nmetadata: {name: p}\nspec: \(spec)\n"
    let result = try await bucketSync("render", "-f", "-", input: "\(group)/v1\n\(rest)")
    #expect(result.code == 1)
    #expect(result.output == "")
    #expect(result.errors.contains("BucketSyncPolicy p: \(path)"), "\(result.errors)")
    let other = try await bucketSync("render", "-f", "-", input: "\(group)/v2\n\(rest)")
    #expect(other.code == 1)
    #expect(other.errors.contains("/v2\" must be"), "\(other.errors)")
  }

  @Test func aCaseThatIsNotAsWantedFailsAndShowsTheDifference() async throws {
    let scripts = try folder([
      "limit.lua": Self.limited,
      "limit.test.yaml": """
      name: right
      policy: {spec: {parameters: {bwlimit: 10M}}}
      want: {flags: {bwlimit: 10M}}
      ---
      name: wrong
      policy: {spec: {parameters: {bwlimit: 10M}}}
      want: {flags: {bwlimit: 20M}}
      ---
      name: no error after all
      policy: {}
      want: {error: boom}
      """,
    ])
    let result = try await bucketSync("hooks", "test", scripts.path)
    #expect(result.code == 1)
    #expect(result.output.contains("ok: limit.test.yaml: right\n"))
    #expect(result.output.contains("FAILED: limit.test.yaml: wrong\n"))
    for line in ["flags.bwlimit", "20M", "10M", "no error", "1 passed, 2 failed"] {
      #expect(result.output.contains(line), "\(line)\n\(result.output)")
    }
  }

  @Test func casesThatCannotBeReadAreNamed() async throws {
    let scripts = try folder(["limit.lua": Self.limited, "limit.test.yaml": "nmae: typo\npolicy: {}\nwant: {}\n"])
    let result = try await bucketSync("hooks", "test", scripts.path)
    #expect(result.code > 0)
    #expect(result.errors.contains("limit.test.yaml"), "\(result.errors)")
    #expect(result.errors.contains("nmae"), "\(result.errors)")
  }

  @Test func theDifferenceThatScriptsMakeIsShown() async throws {
    let scripts = try folder(["limit.lua": Self.limited])
    let policy = """
      apiVersion: bucket-sync.homelab-helper.benfiola.com/v1
      kind: BucketSyncPolicy
      metadata: {name: nightly, namespace: default}
      spec: {source: data, destination: backup, schedule: "0 2 * * *", parameters: {bwlimit: 10M}}
      """
    let result = try await bucketSync(
      "render", "-f", "-", "--hooks-dir", scripts.path, "-o", "diff", input: policy)
    #expect(result.code == 0, "\(result.errors)")
    let changes = result.output.split(separator: "\n").filter {
      ($0.hasPrefix("+") && !$0.hasPrefix("+++")) || ($0.hasPrefix("-") && !$0.hasPrefix("---"))
    }
    #expect(changes.map { $0.filter { $0 != " " } } == ["+---bwlimit=10M"])
  }
}

// Scripts at work: the order they are called in, what they are told, and what becomes of their failures.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel
import LuaHooks
import LuaSandbox
import TestSupport
import Testing

@Suite("Scripts at the extension points")
struct RunnerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func script(_ name: String, _ functions: String) throws {
    try folder.write(name, "return { api = 1,\n\(functions)\n}")
  }

  @Test("scripts are called in the order of their names, and each sees what the one before it left")
  func order() async throws {
    for (name, letter) in [("20.lua", "b"), ("10.lua", "a"), ("30.lua", "c")] {
      try script(
        name,
        """
        job_name = function(ctx, name) return name .. "-\(letter)" end,
        build_job = function(ctx, job)
          table.insert(rclone.container(job).args, "--" .. #rclone.container(job).args .. "\(letter)")
          return job
        end
        """)
    }
    let plan = try await ScriptedOperator(folder.path).plan()
    #expect(plan.name == "nightly-1705284000-a-b-c")
    #expect(plan.manifest.podSpec["containers"][0]["args"].array?.suffix(3) == ["--3a", "--4b", "--5c"])
  }

  @Test("the first script that decides about a run decides")
  func firstDecision() async throws {
    try script("1.lua", "pre_lock = function() end")
    try script("2.lua", "pre_lock = function(ctx) return { wait = ctx.run.name, after = 60 } end")
    try script("3.lua", "pre_lock = function() return { reject = 'too late' } end")
    let decision = try await ScriptedOperator(folder.path).preLock()
    #expect(decision == .wait(reason: "nightly-1705284000", after: .seconds(60)))
  }

  @Test("scripts know the run, its policy, its parameters and its time, and the present time only where it matters")
  func context() async throws {
    try script(
      "ctx.lua",
      """
      job_name = function(ctx, name)
        return ("%s-%s-%s-%s-%s-%s"):format(ctx.params.site, ctx.policy.labels.team, ctx.source.bucket, ctx.time.date,
          ctx.scheduled_time.hour, ctx.now == nil)
      end,
      pre_lock = function(ctx)
        return { skip = table.concat({ ctx.point, ctx.trigger, ctx.run.namespace, ctx.policy.schedule, ctx.source.path,
          ctx.destination.rclone, ctx.source.env.KEY.valueFrom.secretKeyRef.name, ctx.now.year > 2024 and "now" or "?" }, " ") }
      end
      """)
    let run = try RunContext.example(
      parameters: ["site": "berlin"],
      sourceEnv: [EnvVar(name: "KEY", valueFrom: ["secretKeyRef": ["name": "keys", "key": "k"]])],
      labels: ["team": "storage"])
    let scripted = try ScriptedOperator(folder.path)
    #expect(try await scripted.plan(run).name == "berlin-storage-data-2024-01-15-2-true")
    #expect(
      try await scripted.preLock(run)
        == .skip(reason: "pre_lock direct default 0 2 * * * data/photos destination:backup keys now"))
  }

  @Test("a script that fails blocks the run, with its name and line, and is counted by its reason")
  func failure() async throws {
    try script("10-fine.lua", "build_job = function(ctx, job) return job end")
    try script("20-bad.lua", "build_job = function(ctx, job)\n  return job.spec.nothing.at_all\nend")
    let scripted = try ScriptedOperator(folder.path)
    #expect(
      try await scripted.problem()
        == "plugin LuaHooks failed at buildJob: 20-bad.lua:3: attempt to index a nil value (field 'nothing')")
    #expect(scripted.metric(#"bucket_sync_hook_failures_total{point="build_job",reason="runtime"}"#) == "1")
    #expect(scripted.metric(#"bucket_sync_hook_failures_total{point="build_job",reason="memory"}"#) == "0")
    #expect(scripted.metric(#"bucket_sync_hook_duration_seconds_count{point="build_job"}"#) == "2")
  }

  @Test(
    "every kind of failure has its reason and its place",
    arguments: [
      ("error('no')", "runtime", "bad.lua:3: no"),
      ("while true do end", "deadline", "bad.lua:3: about here the script had used up its limit of"),
      ("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e5) .. i end", "memory", "asked for more memory"),
      ("return { spec = type }", "invalid_result", "bad.lua:2: what build_job returned: job.spec is a function"),
      ("", "invalid_result", "bad.lua:2: what build_job returned: is nothing; end the function with: return job"),
    ])
  func reasons(body: String, reason: String, words: String) async throws {
    try script("bad.lua", "build_job = function(ctx, job)\n\(body)\nend")
    let scripted = try ScriptedOperator(folder.path)
    let problem = try #require(try await scripted.problem())
    #expect(problem.contains(words))
    #expect(scripted.metric("bucket_sync_hook_failures_total{point=\"build_job\",reason=\"\(reason)\"}") == "1")
  }

  @Test("failures can be ignored: the script then counts as not there, and an Event tells of it")
  func ignored() async throws {
    try script("1.lua", "build_job = function(ctx, job) rclone.flag(job, 'checksum', true) return job end")
    try script("2.lua", "build_job = function(ctx, job) rclone.flag(job, 'bad', true) error('out of order') end")
    try script("3.lua", "build_job = function(ctx, job) rclone.flag(job, 'fast-list', true) return job end")
    let scripted = try ScriptedOperator(folder.path, onError: .ignore)
    #expect(try await scripted.arguments().suffix(2) == ["--checksum", "--fast-list"])
    #expect(
      scripted.newEvents() == ["Warning HookIgnored: a script failed and was ignored: 2.lua:2: out of order"])
    #expect(scripted.metric(#"bucket_sync_hook_failures_total{point="build_job",reason="runtime"}"#) == "1")
  }

  @Test("all scripts are told of the end of a run, also after one of them has failed")
  func postSync() async throws {
    try script("1.lua", "post_sync = function(ctx, o) return { notes = { by = '1', seen = o.result } } end")
    try script("2.lua", "post_sync = function() error('no paper') end")
    try script(
      "3.lua",
      "post_sync = function(ctx, o) return { notes = { by = '3' }, annotations = { ['a.b/c'] = o.reason } } end")
    let report = try await ScriptedOperator(folder.path).postSync(.failed(reason: "AccessDenied", message: "no"))
    #expect(report.notes == ["by": "3", "seen": "Failed", "2.lua.error": "2.lua:2: no paper"])
    #expect(report.policyAnnotations == ["a.b/c": "AccessDenied"])
    #expect(report.events.map(\.reason) == ["HookFailed"])
    #expect(report.events.map(\.isWarning) == [true])
  }

  @Test("what scripts log is in the log, also before they fail, with script, point and run")
  func log() async throws {
    try script("talk.lua", "build_job = function(ctx, job) log.warn('limit', 3, nil, true) error('gone') end")
    let scripted = try ScriptedOperator(folder.path)
    #expect(try await scripted.problem() != nil)
    let line = try #require(scripted.log.text.split(separator: "\n").first { $0.contains("limit 3 nil true") })
    for field in ["level=warning", "script=talk.lua", "point=build_job", "run=default/nightly-1705284000"] {
      #expect(line.contains(field))
    }
  }

  // MARK: Secrets

  /// A script that tells all that it is given.
  private static let gossip = """
    local function tell(value, depth)
      if type(value) ~= "table" then return tostring(value) end
      local parts = {}
      for k, v in pairs(value) do parts[#parts + 1] = tostring(k) .. "=" .. tell(v) end
      return table.concat(parts, ",")
    end
    """

  @Test("literal values of variables are not in ctx, and neither is the manifest that kubectl keeps")
  func contextHoldsNoSecrets() async throws {
    try folder.write(
      "gossip.lua", Self.gossip + "\nreturn { api = 1, pre_lock = function(ctx) return { skip = tell(ctx) } end }")
    let run = try RunContext.example(sourceEnv: [
      EnvVar(name: "SECRET_ACCESS_KEY", value: "hunter2hunter2"), EnvVar(name: "TYPE", value: "s3"),
    ])
    guard case .skip(let told) = try await ScriptedOperator(folder.path).preLock(run) else {
      Issue.record("it said nothing")
      return
    }
    #expect(told.contains("SECRET_ACCESS_KEY=literal=true"))
    #expect(!told.contains("hunter2"))
  }

  @Test("they are in the Job, and are taken out of what scripts log and of what their failures say")
  func secretsAreRedacted() async throws {
    try folder.write(
      "gossip.lua",
      Self.gossip
        + "\nreturn { api = 1, build_job = function(ctx, job) log.error(tell(job)) error(tell(job)) end }")
    let run = try RunContext.example(sourceEnv: [EnvVar(name: "SECRET_ACCESS_KEY", value: "hunter2hunter2")])
    let scripted = try ScriptedOperator(folder.path)
    let problem = try #require(try await scripted.problem(run))
    #expect(problem.contains("[redacted]"))
    #expect(!problem.contains("hunter2"))
    #expect(scripted.log.text.contains("[redacted]"))
    #expect(!scripted.log.text.contains("hunter2"))
  }
}

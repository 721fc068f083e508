// HookRunner: calls the scripts that have a function for a point, in the order of their names; each sees what the one
// before it left.
//
// - Guarantees: no script keeps a run waiting for longer than the limits allow; every failure is counted, logged, and
//   either thrown (the core then shows it in the run's status and an Event) or, with `ignore`, told in an Event.
// - Caveats: a script is called again whenever its run is looked at; its log lines repeat then.

internal import BucketSyncCore
internal import KubernetesModel
internal import Logging
internal import LuaSandbox
internal import OperatorRuntime

/// The scripts as hooks of the core.
struct HookRunner: PreLockHook, JobNameHook, JobTransformer, PostSyncHook {
  let current: CurrentHooks
  let sandbox: LuaSandbox
  let threads: HookThreads
  let onError: LuaHooks.OnError
  let environment: PluginEnvironment
  let metrics: HookMetrics

  func preLock(_ run: RunContext) async throws -> PreLockResult {
    let context = HookContext.table(run, point: .preLock, now: Timestamp(environment.time.now))
    for script in current.scripts(at: .preLock) {
      let result = try await call(.preLock, script, run, [context], HookAnswers.preLock)
      if let result, result != .proceed { return result }
    }
    return .proceed
  }

  func jobName(_ run: RunContext, proposed: String) async throws -> String {
    let context = HookContext.table(run, point: .jobName)
    var name = proposed
    for script in current.scripts(at: .jobName) {
      let before = name
      name =
        try await call(.jobName, script, run, [context, .json(.string(before))]) { answer throws(BadAnswer) in
          try HookAnswers.jobName(answer, proposed: before)
        } ?? before
    }
    return name
  }

  func buildJob(_ run: RunContext, job: JobManifest) async throws -> JobManifest {
    let context = HookContext.table(run, point: .buildJob)
    var job = job
    for script in current.scripts(at: .buildJob) {
      job = try await call(.buildJob, script, run, [context, .json(job.json)], HookAnswers.job) ?? job
    }
    return job
  }

  /// All scripts are called, also after one has failed: what failed is told in the report.
  func postSync(_ run: RunContext, outcome: RunOutcome) async throws -> PostSyncReport {
    let context = HookContext.table(run, point: .postSync, now: Timestamp(environment.time.now))
    var report = PostSyncReport()
    for script in current.scripts(at: .postSync) {
      do {
        report.add(
          try await perform(.postSync, script, run, [context, HookContext.outcome(outcome)], HookAnswers.report))
      } catch {
        report.notes["\(script.name).error"] = error.message
        report.events.append(.init(isWarning: true, reason: "HookFailed", message: error.message))
      }
    }
    return report
  }

  // MARK: Calls

  /// Calls a script; `nil` when it failed and failures are to be ignored.
  private func call<Answer: Sendable>(
    _ point: HookPoint, _ script: LuaScript, _ run: RunContext, _ arguments: [LuaValue],
    _ read: (JSONValue?) throws(BadAnswer) -> Answer
  ) async throws(LuaFailure) -> Answer? {
    do throws(LuaFailure) {
      return try await perform(point, script, run, arguments, read)
    } catch {
      guard onError == .ignore else { throw error }
      environment.events.record(
        .warning, regarding: run.run.reference, reason: "HookIgnored", action: point.name,
        note: "a script failed and was ignored: \(error.message)")
      return nil
    }
  }

  private func perform<Answer: Sendable>(
    _ point: HookPoint, _ script: LuaScript, _ run: RunContext, _ arguments: [LuaValue],
    _ read: (JSONValue?) throws(BadAnswer) -> Answer
  ) async throws(LuaFailure) -> Answer {
    let literals = LiteralValues(run)
    do throws(LuaFailure) {
      let answer = try await answer(point, script, arguments)
      log(answer, point, script, run, literals)
      let value = try answer.result.get()
      do throws(BadAnswer) {
        return try read(value)
      } catch {
        throw LuaFailure(.invalidResult, script, line: answer.line, "what \(point.name) returned: \(error.problem)")
      }
    } catch {
      metrics.failed(point.name, reason: error.reason)
      throw LuaFailure(error.reason, script: error.script, message: literals.redacted(error.message))
    }
  }

  private func answer(
    _ point: HookPoint, _ script: LuaScript, _ arguments: [LuaValue]
  ) async throws(LuaFailure) -> LuaAnswer {
    let start = environment.time.uptime
    defer { metrics.called(point, took: environment.time.uptime - start) }
    do throws(HookThreadError) {
      return try await threads.run(patience: sandbox.limits.patience) { [sandbox] in
        sandbox.call(point, of: script, with: arguments)
      }
    } catch {
      let problem =
        switch error {
        case .stuck: "\(point.name) does not come back; its thread was given up"
        case .tooManyStuck: "too many threads are stuck in scripts; restart the controller once they are repaired"
        case .noThread: "no thread could be started"
        }
      throw LuaFailure(.deadline, script, line: nil, problem)
    }
  }

  private func log(
    _ answer: LuaAnswer, _ point: HookPoint, _ script: LuaScript, _ run: RunContext, _ literals: LiteralValues
  ) {
    for line in answer.log {
      environment.logger.log(
        level: Logger.Level(line.level), "\(literals.redacted(line.text))",
        metadata: ["script": "\(script.name)", "point": "\(point.name)", "run": "\(run.reference)"])
    }
  }
}

extension Logger.Level {
  fileprivate init(_ level: LuaLogLine.Level) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warn: .warning
      case .error: .error
      }
  }
}

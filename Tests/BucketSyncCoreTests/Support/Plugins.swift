// Plugins that do what a test tells them to.

import BucketSyncCore
import KubernetesModel
import Synchronization

struct Trouble: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A value that a test changes while plugins look at it.
final class Switch<Value: Sendable>: Sendable {
  private let state: Mutex<Value>
  init(_ value: Value) { state = Mutex(value) }
  var value: Value {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

struct Namer: Plugin, JobNameHook {
  let name: String
  let rename: @Sendable (String) throws -> String

  init(_ name: String, _ rename: @escaping @Sendable (String) throws -> String) {
    self.name = name
    self.rename = rename
  }

  func register(with setup: inout PluginSetup) throws { setup.jobName(self) }
  func jobName(_ run: RunContext, proposed: String) async throws -> String { try rename(proposed) }
}

struct Transformer: Plugin, JobTransformer {
  let name: String
  let change: @Sendable (inout JobManifest) throws -> Void

  init(_ name: String, _ change: @escaping @Sendable (inout JobManifest) throws -> Void) {
    self.name = name
    self.change = change
  }

  func register(with setup: inout PluginSetup) throws { setup.transformJob(self) }

  func buildJob(_ run: RunContext, job: JobManifest) async throws -> JobManifest {
    var job = job
    try change(&job)
    return job
  }
}

struct Gatekeeper: Plugin, PreLockHook {
  let name = "Gatekeeper"
  let decide: @Sendable (RunContext) throws -> PreLockResult

  init(_ decide: @escaping @Sendable (RunContext) throws -> PreLockResult) { self.decide = decide }

  func register(with setup: inout PluginSetup) throws { setup.preLock(self) }
  func preLock(_ run: RunContext) async throws -> PreLockResult { try decide(run) }
}

struct Messenger: Plugin, PostSyncHook {
  let name: String
  let tell: @Sendable (RunContext, RunOutcome) async throws -> PostSyncReport

  init(_ name: String, _ tell: @escaping @Sendable (RunContext, RunOutcome) async throws -> PostSyncReport) {
    self.name = name
    self.tell = tell
  }

  func register(with setup: inout PluginSetup) throws { setup.postSync(self) }
  func postSync(_ run: RunContext, outcome: RunOutcome) async throws -> PostSyncReport { try await tell(run, outcome) }
}

/// Rules that can change while the operator runs, and tell it when they have.
final class Rules: Plugin, PreLockHook {
  let name = "Rules"
  private let signals = Switch<LockSignals?>(nil)
  private let rule: Switch<@Sendable () throws -> PreLockResult>

  init(_ rule: @escaping @Sendable () throws -> PreLockResult) { self.rule = Switch(rule) }

  func register(with setup: inout PluginSetup) throws {
    signals.value = setup.environment.signals
    setup.preLock(self)
  }

  func preLock(_ run: RunContext) async throws -> PreLockResult { try rule.value() }

  func change(_ new: @escaping @Sendable () throws -> PreLockResult) {
    rule.value = new
    signals.value?.hooksChanged()
  }
}

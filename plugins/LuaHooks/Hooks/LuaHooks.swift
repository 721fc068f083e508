// LuaHooks: site scripts at the extension points. Start reading here; docs/hooks.md is what its users read.
//
// A script is a file NAME.lua in one folder; it returns a table of functions, called in the order of the files' names.
// Without a folder the plugin does nothing.
//
//     HookFolder      the files of the folder, and the folder's changes (FolderWatch)
//     HookSet         scripts that were read and checked, swapped as a whole
//     HookReloader    keeps the set up to date
//     HookRunner      calls the scripts of a point one after the other, and counts what fails
//     HookContext     what a script is told of a run
//     HookAnswers     what scripts answer, checked
//
// The engine is a library of its own: LuaSandbox, and below it CLuaSandbox in C.

public import BucketSyncCore
internal import Logging
public import LuaSandbox

/// Runs site scripts.
public struct LuaHooks: Plugin {
  /// What becomes of a run when a script fails.
  public enum OnError: String, Sendable, Hashable, CaseIterable {
    /// The run waits until the script is repaired; no Job is created.
    case fail
    /// The run goes on as if the script were not there.
    case ignore
  }

  public let name = "LuaHooks"
  /// Where the scripts are; `nil` for nowhere.
  public var folder: String?
  public var onError: OnError
  public var limits: LuaLimits
  /// Only the scripts of these names, for tests of single scripts; `nil` for all.
  public var only: [String]?

  /// A plugin that runs the scripts in `folder`.
  public init(folder: String?, onError: OnError = .fail, limits: LuaLimits = LuaLimits(), only: [String]? = nil) {
    self.folder = folder
    self.onError = onError
    self.limits = limits
    self.only = only
  }

  /// Reads and checks the scripts.
  /// - Throws: ``HookProblems`` with everything that is wrong with them.
  public func register(with setup: inout PluginSetup) throws {
    guard let folder else { return }
    let environment = setup.environment
    let source = HookFolder(path: folder, limits: limits, only: only)
    let set = CurrentHooks(try source.loadBlocking().usable())
    let metrics = HookMetrics(environment.metrics)
    metrics.loaded(set.scripts.count)
    let threads = HookThreads(time: environment.time)
    let runner = HookRunner(
      current: set, sandbox: LuaSandbox(limits: limits), threads: threads, onError: onError, environment: environment,
      metrics: metrics)
    setup.preLock(runner)
    setup.jobName(runner)
    setup.transformJob(runner)
    setup.postSync(runner)
    let reloader = HookReloader(
      folder: source, current: set, threads: threads, environment: environment, metrics: metrics)
    setup.background { try await reloader.run() }
    environment.logger.info("scripts loaded", metadata: ["folder": "\(folder)", "scripts": "\(set.description)"])
  }

  /// Reads and checks the scripts, for tools.
  public func check() -> HookCheck {
    HookFolder(path: folder ?? "", limits: limits, only: only).loadBlocking()
  }
}

// HookReloader: keeps the scripts in use up to date with their folder.
//
// A changed folder is read and checked as a whole first. If all is well the new set takes the place of the old one, and
// runs that scripts kept waiting are looked at again at once; otherwise the last good set stays, and everybody is told,
// once for each set of problems.

internal import BucketSyncCore
internal import KubernetesModel
internal import Logging
internal import LuaSandbox

/// Follows the folder's changes.
struct HookReloader: Sendable {
  /// Several files are seldom written at the same instant.
  private static let settling = Duration.milliseconds(200)
  private static let retryDelay = Duration.seconds(5)

  let folder: HookFolder
  let current: CurrentHooks
  let threads: HookThreads
  let environment: PluginEnvironment
  let metrics: HookMetrics

  /// Runs until it is cancelled.
  func run() async throws {
    var told: [String] = []
    var wasWatching = true
    while true {
      if let watch = FolderWatch(folder.path) {
        wasWatching = true
        // What changed since the folder was read, and before it was watched.
        await reload(&told)
        for await _ in watch.changes {
          try await environment.time.sleep(for: Self.settling)
          await reload(&told)
        }
      } else {
        if wasWatching {
          environment.logger.error(
            "the folder of the scripts cannot be watched; until it can, it is read every few seconds",
            metadata: ["folder": "\(folder.path)"])
        }
        wasWatching = false
        await reload(&told)
      }
      try await environment.time.sleep(for: Self.retryDelay)
    }
  }

  /// Reads the folder, and uses what is there if it is good.
  /// - Parameter told: The problems that were told already.
  private func reload(_ told: inout [String]) async {
    let check: HookCheck
    do throws(HookThreadError) {
      check = try await threads.run(patience: .seconds(60)) { [folder] in folder.load() }
    } catch {
      check = HookCheck(problems: ["the scripts could not be checked: \(error)"])
    }
    guard check.problems.isEmpty else {
      if check.problems != told { reject(check) }
      told = check.problems
      return
    }
    told = []
    metrics.reloadFailed(false)
    guard check.scripts != current.scripts else { return }
    current.scripts = check.scripts
    metrics.loaded(check.scripts.count)
    environment.logger.notice("scripts reloaded", metadata: ["scripts": "\(current.description)"])
    environment.signals.hooksChanged()
  }

  private func reject(_ check: HookCheck) {
    metrics.reloadFailed(true)
    metrics.failed("load", reason: .load)
    for problem in check.problems {
      environment.logger.error("the changed scripts are not used: \(problem)", metadata: ["folder": "\(folder.path)"])
    }
    environment.logger.error("the scripts from before stay in use", metadata: ["scripts": "\(current.description)"])
  }
}

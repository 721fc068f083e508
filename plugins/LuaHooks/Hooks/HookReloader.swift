// HookReloader: keeps the scripts in use up to date with their folder.
//
// A changed folder is read and checked as a whole first. If all is well the new set takes the place of the old one, and
// runs that scripts kept waiting are looked at again at once; otherwise the last good set stays, and everybody is told.

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
    var wasWatching = true
    while true {
      if let watch = FolderWatch(folder.path) {
        wasWatching = true
        // What changed since the folder was read, and before it was watched.
        await reload()
        for await _ in watch.changes {
          try await environment.time.sleep(for: Self.settling)
          await reload()
        }
      } else if wasWatching {
        wasWatching = false
        environment.logger.error(
          "the folder of the scripts cannot be watched; changes are not seen until it can be again",
          metadata: ["folder": "\(folder.path)"])
      }
      try await environment.time.sleep(for: Self.retryDelay)
    }
  }

  /// Reads the folder, and uses what is there if it is good.
  func reload() async {
    let check: HookCheck
    do throws(HookThreadError) {
      check = try await threads.run(patience: .seconds(60)) { [folder] in folder.load() }
    } catch {
      check = HookCheck(problems: ["the scripts could not be checked: \(error)"])
    }
    guard check.problems.isEmpty else { return reject(check) }
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

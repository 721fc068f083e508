// SharedOptions: flags that mean the same on a cluster and standalone.

internal import ArgumentParser
internal import BucketSyncCore

/// The flags of every way to run the operator.
struct SharedOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long a lock must be orphaned before it is removed. (env: LOCK_TIMEOUT; default: 5m)", valueName: "duration"))
  var lockTimeout: String?

  @Option(
    help: ArgumentHelp(
      "How many runs, and how many policies, are worked on at a time. (env: CONCURRENCY; default: 8)",
      valueName: "number"))
  var concurrency: Int?

  /// - Throws: `ValidationError` naming the flag at fault and the way out.
  func lockTimeout(_ source: SettingSource) throws -> Duration {
    try source.duration(lockTimeout, "lock-timeout", "LOCK_TIMEOUT", default: CoreSettings().lockTimeout)
  }

  /// - Throws: As ``lockTimeout(_:)``.
  func concurrency(_ source: SettingSource) throws -> Int {
    try source.count(concurrency, "concurrency", "CONCURRENCY", default: 8)
  }
}

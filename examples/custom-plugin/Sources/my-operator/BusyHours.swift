// A plugin of a few lines: in busy hours no sync starts. Runs wait, and let those of other policies pass.

import BucketSyncCore
import Foundation
import KubernetesModel

/// Holds runs back in some hours of the day.
struct BusyHours: Plugin, PreLockHook {
  let name = "BusyHours"
  private let hours: Range<Int>
  private var time: any TimeSource = SystemTime()

  /// Reads `8-18`: from eight o'clock until just before six in the evening, UTC.
  init?(_ text: String) {
    let parts = text.split(separator: "-").map { Int($0) }
    guard parts.count == 2, let from = parts[0], let to = parts[1], (0..<24).contains(from), from < to, to <= 24
    else { return nil }
    hours = from..<to
  }

  func register(with setup: inout PluginSetup) throws {
    var hook = self
    hook.time = setup.environment.time
    setup.preLock(hook)
  }

  func preLock(_ run: RunContext) async throws -> PreLockResult {
    let seconds = Int(time.now.timeIntervalSince1970) % 86400
    guard hours.contains(seconds / 3600) else { return .proceed }
    return .wait(
      reason: "no sync starts before \(hours.upperBound):00 UTC", after: .seconds(hours.upperBound * 3600 - seconds))
  }
}

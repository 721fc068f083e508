// Calls the post-sync plugins and gathers what they report.

import BucketSyncAPI
import KubernetesClient
import KubernetesModel
import OperatorRuntime

extension RunReconciler {
  /// Calls every post-sync hook. A failure is reported and changes nothing else.
  func postSync(_ run: BucketSync, _ outcome: RunOutcome) async -> PostSyncReport {
    var report = PostSyncReport()
    guard !services.plugins.postSync.isEmpty,
      let context = try? RunContext.resolve(run, policies: { services.caches.policies[$0] })
    else { return report }
    for entry in services.plugins.postSync {
      do {
        let own = try await within(services.settings.postSyncTimeout) {
          try await entry.hook.postSync(context, outcome: outcome)
        }
        report.add(own)
      } catch {
        services.metrics.pluginFailed(entry.plugin, point: "postSync")
        let blocked = BlockedRun(plugin: entry.plugin, point: "postSync", error: error)
        report.notes["\(entry.plugin).error"] = blocked.reason
        record(run, .warning, reason: "PluginFailed", action: "postSync", blocked.description)
      }
    }
    for event in report.events {
      record(run, event.isWarning ? .warning : .normal, reason: event.reason, action: "PostSync", event.message)
    }
    await annotate(context.policy, report.policyAnnotations, run: run)
    return report
  }

  private func annotate(_ policy: BucketSyncPolicy?, _ annotations: [String: String], run: BucketSync) async {
    guard let policy, !annotations.isEmpty else { return }
    let reserved = annotations.keys.filter { $0.hasPrefix(BucketSyncNames.group + "/") }
    let own = annotations.filter { !reserved.contains($0.key) }
    do {
      guard !own.isEmpty else { return }
      let patch: JSONValue = ["metadata": ["annotations": JSONValue(own)]]
      services.caches.policies.record(try await services.client.patch(BucketSyncPolicy.self, policy.key, .merge(patch)))
    } catch {
      record(run, .warning, reason: "PolicyNotAnnotated", action: "postSync", "policy \(policy.key): \(error)")
    }
  }

  /// Runs `body`, but not for longer than `limit`.
  private func within<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask(operation: body)
      group.addTask { [time = services.time] in
        try await time.sleep(for: limit)
        throw HookTimeout(limit: limit)
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }
}

/// A hook that took too long.
private struct HookTimeout: Error, CustomStringConvertible {
  let limit: Duration
  var description: String { "no answer within \(DurationText.format(limit))" }
}

// RunPreview: what plugins would make of a policy or a run, worked out without a cluster by the very code that works it
// out with one. What only the API server knows (UIDs, the time of creation) is made up.

package import BucketSyncAPI
import CronSchedule
package import KubernetesModel

/// A run that might be.
package struct RunPreview: Sendable {
  /// Stands for UIDs; the API server takes it in a dry run.
  private static let uid = "00000000-0000-0000-0000-000000000000"

  package let context: RunContext

  /// The run that `policy` makes at `tick`, the next one after `now` if none is given.
  /// - Throws: ``InvalidPreview``.
  package init(of policy: BucketSyncPolicy, at tick: Timestamp?, now: Timestamp) throws(InvalidPreview) {
    let problems = SpecValidation.problems(in: policy.spec)
    guard problems.isEmpty, let schedule = try? CronSchedule(policy.spec.schedule) else {
      throw InvalidPreview(message: problems.map(\.description).joined(separator: "; "))
    }
    guard let tick = tick ?? schedule.next(after: now, anchor: now) else {
      throw InvalidPreview(message: "spec.schedule: is never due")
    }
    var policy = policy
    Self.complete(&policy.metadata, created: tick)
    try self.init(of: policy.scheduledRun(at: tick), policy: policy, created: tick)
  }

  /// A run as it was written by hand.
  /// - Throws: ``InvalidPreview``.
  package init(of run: BucketSync, now: Timestamp) throws(InvalidPreview) {
    try self.init(of: run, policy: nil, created: now)
  }

  private init(of run: BucketSync, policy: BucketSyncPolicy?, created: Timestamp) throws(InvalidPreview) {
    var run = run
    Self.complete(&run.metadata, created: created)
    do throws(InvalidRun) {
      context = try RunContext.resolve(run) { _ in policy }
    } catch {
      throw InvalidPreview(message: error.message)
    }
  }

  private static func complete(_ metadata: inout ObjectMeta, created: Timestamp) {
    metadata.namespace = metadata.namespace ?? "default"
    metadata.uid = metadata.uid ?? uid
    metadata.creationTimestamp = metadata.creationTimestamp ?? created
  }

  /// What pre-lock plugins would decide.
  /// - Throws: ``BlockedRun``.
  package func preLock(_ plugins: PluginRegistry) async throws -> PreLockResult { try await plugins.preLock(context) }

  /// The Job that would be created.
  /// - Throws: ``BlockedRun``.
  package func plan(_ plugins: PluginRegistry) async throws -> JobPlan {
    try await JobPlan.make(context, plugins: plugins, recordedName: nil)
  }

  /// What post-sync plugins would report.
  /// - Throws: ``BlockedRun``.
  package func postSync(_ outcome: RunOutcome, _ plugins: PluginRegistry) async throws -> PostSyncReport {
    var report = PostSyncReport()
    for entry in plugins.postSync {
      do {
        report.add(try await entry.hook.postSync(context, outcome: outcome))
      } catch {
        throw BlockedRun(plugin: entry.plugin, point: "postSync", error: error)
      }
    }
    return report
  }
}

/// A policy or run of which nothing can be made.
package struct InvalidPreview: Error, CustomStringConvertible {
  package let message: String

  package var description: String { message }
}

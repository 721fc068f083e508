// Plugin: the unit that extends the operator. Start here when writing one.
//
// A plugin is a value with a name. At start-up the operator calls `register(with:)` once, in the order the plugins
// were listed; there the plugin says at which extension points it takes part:
//
//     struct OfficeHours: Plugin, PreLockHook {
//       let name = "OfficeHours"
//       func register(with setup: inout PluginSetup) throws { setup.preLock(self) }
//       func preLock(_ run: RunContext) async throws -> PreLockResult { … }
//     }
//
// The points, in the order a run meets them:
//
//     preLock ─▶ jobName ─▶ buildJob (builder, then transformers) ─▶ lock ─▶ [Job runs] ─▶ unlock ─▶ postSync
//
// Built-in plugins (BucketLock, RcloneJob) use this very interface and nothing else.

/// A named extension of the operator.
public protocol Plugin: Sendable {
  /// Unique among the plugins of one operator; appears in logs, status messages, Events and metrics.
  var name: String { get }

  /// Registers the plugin at its extension points. Called once, before any cache is filled and any run is looked at;
  /// no request may be sent yet.
  /// - Throws: Any error; the operator then refuses to start and prints it with the plugin's name.
  func register(with setup: inout PluginSetup) throws
}

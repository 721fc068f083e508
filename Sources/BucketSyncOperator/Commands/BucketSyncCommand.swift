// `homelab-helper bucket-sync`: run the operator.

internal import ArgumentParser
internal import FoundationEssentials
internal import OperatorRuntime
internal import UnixSignals

/// Runs the operator until it is told to stop.
struct BucketSyncCommand<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "bucket-sync",
      abstract: "Keep object-storage buckets in sync, as BucketSyncPolicies in Kubernetes say.",
      discussion: """
        Watches BucketSyncPolicy and BucketSync objects (bucket-sync.homelab-helper.benfiola.com/v1). Each run takes \
        exclusive locks on both its buckets, runs rclone sync in a Job, releases the locks and tells what happened in \
        its status and in Events.

        Every flag has an environment variable; the flag wins. LOG_LEVEL (trace, debug, info, notice, warning, error, \
        critical) and LOG_FORMAT (text, json) set up the log on standard error.

        EXAMPLES
          On a cluster, as a pod:    homelab-helper bucket-sync --namespace bucket-sync-system
          From your own machine:     homelab-helper bucket-sync --namespace default --kubeconfig ~/.kube/config
          Make a policy run now:     kubectl annotate bucketsyncpolicy NAME \
        bucket-sync.homelab-helper.benfiola.com/sync-now= --overwrite
        """,
      subcommands: [PluginsCommand<Plugins>.self, RenderCommand<Plugins>.self, HooksCommand<Plugins>.self])
  }

  @OptionGroup(title: "Operator options") var options: OperatorOptions
  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let source = SettingSource(environment: environment)
    let settings = try options.settings(source)
    let plugins = try plugins.plugins(source)
    let assembly = try OperatorAssembly(
      settings, plugins: plugins, environment: environment, instance: instanceName(environment))
    let shutdown = Signal()
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    try await withThrowingTaskGroup { group in
      group.addTask {
        for await _ in signals { shutdown.raise() }
        // Only cancellation ends the sequence.
        try await Signal().wait()
      }
      group.addTask { try await assembly.run(until: shutdown) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// The pod's name, or the machine's, made unique: two processes must never take each other for themselves.
  private func instanceName(_ environment: [String: String]) -> String {
    let host = environment["POD_NAME"] ?? environment["HOSTNAME"] ?? ProcessInfo.processInfo.hostName
    return "\(host)_\(UUID().uuidString.lowercased())"
  }
}

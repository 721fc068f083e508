// `homelab-helper bucket-sync`: run the operator.

internal import ArgumentParser
internal import FoundationEssentials

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
          Make a policy run now:     homelab-helper bucket-sync trigger NAME --wait
          The same by kubectl:       kubectl annotate bucketsyncpolicy NAME \
        bucket-sync.homelab-helper.benfiola.com/sync-now= --overwrite
        """,
      subcommands: subcommands)
  }

  static var subcommands: [any ParsableCommand.Type] {
    [
      StandaloneCommand<Plugins>.self, GetCommand.self, DescribeCommand.self, TriggerCommand.self, LogsCommand.self,
      CancelCommand.self, PluginsCommand<Plugins>.self, RenderCommand<Plugins>.self, HooksCommand<Plugins>.self,
    ]
  }

  @OptionGroup(title: "Operator options") var options: OperatorOptions
  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let source = SettingSource(environment: environment)
    let settings = try options.settings(source)
    let assembly = try OperatorAssembly(
      settings, cluster: try options.cluster(source), plugins: try plugins.plugins(source), environment: environment,
      instance: OperatorRun.instanceName(environment))
    try await OperatorRun.untilToldToStop(assembly.run)
  }
}

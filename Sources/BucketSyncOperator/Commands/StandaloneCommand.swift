// `homelab-helper bucket-sync standalone DIR`: run the operator on one machine, without Kubernetes.

internal import ArgumentParser
internal import FoundationEssentials

/// Runs the operator on the manifests of a folder until it is told to stop.
struct StandaloneCommand<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "standalone", abstract: "Run on one machine, without Kubernetes, as the manifests of a folder say.",
      discussion: """
        Watches a folder of the same YAML that a cluster takes, and runs rclone, which must be on the PATH, as a process \
        of this machine. Policies, locks, hooks, status, events and metrics are those of the cluster. Files can be \
        changed at any time; moving to a cluster is `kubectl apply` of the folder.

        EXAMPLES
          Keep buckets in sync as a folder says:   homelab-helper bucket-sync standalone ~/buckets
          Make a policy run now, and watch:        homelab-helper bucket-sync trigger NAME --wait --standalone ~/buckets
          With kubectl:                            … --api-address 127.0.0.1:8001, then
                                                   KUBECONFIG=~/buckets/.bucket-sync/kubeconfig kubectl get bsp
        """)
  }

  @OptionGroup(title: "Standalone options") var options: StandaloneOptions
  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let source = SettingSource(environment: environment)
    let assembly = try StandaloneAssembly(
      try options.settings(source), plugins: try plugins.plugins(source), environment: environment,
      instance: OperatorRun.instanceName(environment))
    try await OperatorRun.untilToldToStop(assembly.run)
  }
}

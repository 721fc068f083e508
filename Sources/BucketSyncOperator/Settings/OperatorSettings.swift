// OperatorSettings: flags and environment variables, read and checked.

internal import ArgumentParser
internal import BucketSyncAPI
package import BucketSyncCore
internal import KubernetesModel
internal import OperatorRuntime

/// What the operator is told at start-up.
package struct OperatorSettings: Sendable {
  var namespace: String
  /// Where policies and runs are looked after; empty for everywhere.
  var watchNamespaces: [String]
  /// `0` serves nothing.
  var healthAddress: String
  var metricsAddress: String
  var concurrency: Int
  var core: CoreSettings

  package init(
    namespace: String, watchNamespaces: [String] = [], healthAddress: String, metricsAddress: String,
    concurrency: Int, core: CoreSettings
  ) {
    self.namespace = namespace
    self.watchNamespaces = watchNamespaces
    self.healthAddress = healthAddress
    self.metricsAddress = metricsAddress
    self.concurrency = concurrency
    self.core = core
  }
}

/// How the operator gets to its cluster, and whether it shares it with others of its kind.
struct ClusterSettings: Sendable {
  var kubeconfig: String?
  var leaderElection: Bool
  var leaderElectionID: String
}

/// The flags of `homelab-helper bucket-sync` that are not a plugin's.
struct OperatorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Namespace of the bucket locks and of the leader's lease. Required. (env: NAMESPACE)", valueName: "name"))
  var namespace: String?

  @Option(
    help: ArgumentHelp(
      "Look after policies and runs in these namespaces only, separated by commas. (env: WATCH_NAMESPACES; default: all)",
      valueName: "names"))
  var watchNamespaces: String?

  @Option(
    help: ArgumentHelp(
      "Kubeconfig to use; the pod's service account if empty. (env: KUBECONFIG)", valueName: "path"))
  var kubeconfig: String?

  @Option(
    help: ArgumentHelp(
      "Address of the probes /healthz and /readyz. (env: HEALTH_ADDRESS; default: :8081)", valueName: "address"))
  var healthAddress: String?

  @Option(
    help: ArgumentHelp(
      "Address of the Prometheus metrics, /metrics. (env: METRICS_ADDRESS; default: :8080)", valueName: "address"))
  var metricsAddress: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Act only while holding a lease, so that several replicas can run. (env: LEADER_ELECTION; default: off)")
  var leaderElection: Bool?

  @Option(
    help: ArgumentHelp(
      "Name of that lease; replicas share it, other controllers need another. (env: LEADER_ELECTION_ID; default: \(BucketSyncNames.controller))",
      valueName: "name"))
  var leaderElectionID: String?

  @Option(
    help: ArgumentHelp(
      "How long a Job's pod may take to start before its run fails; 0 for no limit. (env: JOB_START_TIMEOUT; default: 10m)",
      valueName: "duration"))
  var jobStartTimeout: String?

  @OptionGroup var shared: SharedOptions

  private static let labelRule =
    "use lower-case letters, digits and '-', a letter or digit at both ends, at most \(Naming.labelLimit) characters"

  /// The settings, with the environment as a fallback.
  /// - Throws: `ValidationError` naming the flag at fault and the way out.
  func settings(_ source: SettingSource) throws -> OperatorSettings {
    guard let namespace = source.value(namespace, "NAMESPACE") else {
      throw ValidationError(
        "the namespace is missing: pass --namespace NAME or set NAMESPACE to where bucket locks shall be kept")
    }
    guard Naming.isLabel(namespace) else {
      throw ValidationError("--namespace (NAMESPACE) \"\(namespace)\" is no name of a namespace: \(Self.labelRule)")
    }
    let names = (source.value(watchNamespaces, "WATCH_NAMESPACES") ?? "").split(separator: ",").map(String.init)
    let watched = Set(names).sorted()
    if let bad = watched.first(where: { !Naming.isLabel($0) }) {
      throw ValidationError(
        "--watch-namespaces (WATCH_NAMESPACES): \"\(bad)\" is no name of a namespace: \(Self.labelRule)")
    }
    let startTimeout = try source.duration(
      jobStartTimeout, "job-start-timeout", "JOB_START_TIMEOUT", default: CoreSettings().jobStartTimeout)
    return OperatorSettings(
      namespace: namespace, watchNamespaces: watched,
      healthAddress: try source.address(healthAddress, "health-address", "HEALTH_ADDRESS", default: ":8081"),
      metricsAddress: try source.address(metricsAddress, "metrics-address", "METRICS_ADDRESS", default: ":8080"),
      concurrency: try shared.concurrency(source),
      core: CoreSettings(
        lockTimeout: try shared.lockTimeout(source), jobStartTimeout: startTimeout, namespaces: watched))
  }

  /// How to get to the cluster.
  /// - Throws: As ``settings(_:)``.
  func cluster(_ source: SettingSource) throws -> ClusterSettings {
    let leaderElectionID = source.value(leaderElectionID, "LEADER_ELECTION_ID") ?? BucketSyncNames.controller
    guard Naming.isSubdomain(leaderElectionID) else {
      throw ValidationError(
        "--leader-election-id (LEADER_ELECTION_ID) \"\(leaderElectionID)\" is no name of a Lease: "
          + "use lower-case letters, digits, '-' and '.', a letter or digit at both ends")
    }
    return ClusterSettings(
      kubeconfig: source.value(kubeconfig, "KUBECONFIG"),
      leaderElection: try source.bool(leaderElection, "leader-election", "LEADER_ELECTION"),
      leaderElectionID: leaderElectionID)
  }
}

// StandaloneSettings: the flags of `homelab-helper bucket-sync standalone`, read and checked.

internal import ArgumentParser
internal import BucketSyncAPI
internal import BucketSyncCore
internal import KubernetesModel
internal import OperatorRuntime

/// What a standalone operator is told at start-up.
struct StandaloneSettings: Sendable {
  /// Where the manifests are.
  var folder: String
  /// Where the state is.
  var state: String
  /// Where kubectl may come in; `nil` for nowhere.
  var apiAddress: String?
  /// How many Jobs may run at a time.
  var parallelJobs: Int
  /// Where objects go whose manifest says no namespace.
  var defaultNamespace: String
  var core: OperatorSettings
}

struct StandaloneOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("Folder of manifests: policies, runs, Secrets, ConfigMaps.", valueName: "dir"))
  var folder: String

  @Option(
    help: ArgumentHelp(
      "Where to keep objects, logs and what runs. (env: STATE_DIR; default: \(StateFolder.defaultName) in that folder)",
      valueName: "path"))
  var stateDir: String?

  @Option(
    help: ArgumentHelp(
      "Loopback address of a Kubernetes API for kubectl, 127.0.0.1:6443 or so. (env: API_ADDRESS; default: none)",
      valueName: "address"))
  var apiAddress: String?

  @Option(
    help: ArgumentHelp(
      "How many syncs may run at a time; others wait their turn. (env: PARALLEL_JOBS; default: 4)", valueName: "number")
  )
  var parallelJobs: Int?

  @Option(
    help: ArgumentHelp(
      "Namespace of objects whose manifest says none. (env: DEFAULT_NAMESPACE; default: default)", valueName: "name"))
  var defaultNamespace: String?

  @Option(
    help: ArgumentHelp(
      "Namespace of the bucket locks. (env: NAMESPACE; default: bucket-sync-system)", valueName: "name"))
  var namespace: String?

  @Option(
    help: ArgumentHelp(
      "Address of the probes /healthz and /readyz. (env: HEALTH_ADDRESS; default: none)", valueName: "address"))
  var healthAddress: String?

  @Option(
    help: ArgumentHelp(
      "Address of the Prometheus metrics, /metrics. (env: METRICS_ADDRESS; default: none)", valueName: "address"))
  var metricsAddress: String?

  @OptionGroup var shared: SharedOptions

  /// The settings, with the environment as a fallback.
  /// - Throws: `ValidationError` naming the flag at fault and the way out.
  func settings(_ source: SettingSource) throws -> StandaloneSettings {
    let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    return StandaloneSettings(
      folder: folder, state: source.value(stateDir, "STATE_DIR") ?? "\(folder)/\(StateFolder.defaultName)",
      apiAddress: source.value(apiAddress, "API_ADDRESS"),
      parallelJobs: try source.count(parallelJobs, "parallel-jobs", "PARALLEL_JOBS", default: 4),
      defaultNamespace: try Self.name(
        source.value(defaultNamespace, "DEFAULT_NAMESPACE") ?? "default", "--default-namespace (DEFAULT_NAMESPACE)"),
      core: OperatorSettings(
        namespace: try Self.name(
          source.value(namespace, "NAMESPACE") ?? "bucket-sync-system", "--namespace (NAMESPACE)"),
        watchNamespaces: [],
        healthAddress: try source.address(healthAddress, "health-address", "HEALTH_ADDRESS", default: "0"),
        metricsAddress: try source.address(metricsAddress, "metrics-address", "METRICS_ADDRESS", default: "0"),
        concurrency: try shared.concurrency(source),
        // A pod may wait its turn for as long as others run, and there are no images to be pulled. Supervisors keep
        // deadlines, by a clock that nobody can set.
        core: CoreSettings(
          lockTimeout: try shared.lockTimeout(source), jobStartTimeout: .zero, deadlineGrace: nil)))
  }

  private static func name(_ text: String, _ flag: String) throws -> String {
    guard Naming.isLabel(text) else {
      throw ValidationError(
        "\(flag) \"\(text)\" is no name of a namespace: use lower-case letters, digits and '-', "
          + "a letter or digit at both ends, at most \(Naming.labelLimit) characters")
    }
    return text
  }
}

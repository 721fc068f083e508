// ConnectionOptions: where the objects are that a command is about, a cluster or a standalone operator.
//
// What is said by a flag counts more than what is said by a variable; otherwise a standalone operator counts more than a
// cluster, for KUBECONFIG is set on many machines for other reasons.

internal import ArgumentParser
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel

/// The flags of all commands that look at objects.
struct ConnectionOptions: ParsableArguments {
  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("Namespace of the objects. (default: the context's, or default)", valueName: "name"))
  var namespace: String?

  @Option(
    help: ArgumentHelp(
      "Kubeconfig of the cluster. (env: KUBECONFIG; default: ~/.kube/config, or the pod's service account)",
      valueName: "path"))
  var kubeconfig: String?

  @Option(
    help: ArgumentHelp(
      "Not a cluster, but the standalone operator of this folder. (env: BUCKET_SYNC_STANDALONE)", valueName: "dir"))
  var standalone: String?

  @Option(
    help: ArgumentHelp(
      "Not a cluster, but the standalone operator with this state. (env: STATE_DIR, with a standalone folder only)",
      valueName: "path"))
  var stateDir: String?

  /// Connects; nothing is asked yet.
  /// - Throws: ``CommandFailure`` or a `ConfigurationError` saying what is wrong and the way out.
  func connect(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> ObjectSite {
    let source = SettingSource(environment: environment)
    guard standalone == nil || kubeconfig == nil, stateDir == nil || kubeconfig == nil else {
      throw ValidationError("--kubeconfig means a cluster, --standalone and --state-dir do not: give one of them")
    }
    if kubeconfig == nil, let state = stateFolder(source) {
      try StandaloneSocket.check(state.path, folder: state.folder)
      return try ObjectSite(
        .socket(StandaloneSocket.path(in: state.path), namespace: source.value(nil, "DEFAULT_NAMESPACE")),
        namespace: namespace, isStandalone: true)
    }
    return try ObjectSite(
      ClientConfiguration.load(kubeconfig: kubeconfigPath(source), environment: environment), namespace: namespace,
      isStandalone: false)
  }

  /// Where the standalone operator keeps its state, and the folder that people know it by; `nil` for a cluster.
  private func stateFolder(_ source: SettingSource) -> (path: String, folder: String?)? {
    if let stateDir, !stateDir.isEmpty { return (stateDir, standalone) }
    guard let folder = source.value(standalone, "BUCKET_SYNC_STANDALONE") else { return nil }
    let plain = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    return (source.value(nil, "STATE_DIR") ?? "\(plain)/\(StateFolder.defaultName)", plain)
  }

  /// As kubectl: the flag, the variable, the file at home; within a pod its service account.
  private func kubeconfigPath(_ source: SettingSource) throws(CommandFailure) -> String? {
    if let path = source.value(kubeconfig, "KUBECONFIG") { return path }
    let home = source.environment["HOME"].map { "\($0)/.kube/config" }
    if let home, FileManager.default.fileExists(atPath: home) { return home }
    guard source.environment["KUBERNETES_SERVICE_HOST"] == nil else { return nil }
    throw CommandFailure(
      "no cluster and no standalone operator is known: give --kubeconfig FILE for a cluster, "
        + "or --standalone DIR for an operator that runs on this machine")
  }
}

/// Where objects are, and in which namespace to look for them.
struct ObjectSite: Sendable {
  let client: KubernetesClient
  let namespace: String
  /// Whether the namespace was asked for by a flag.
  let isNamespaceGiven: Bool
  let isStandalone: Bool
  let time: any TimeSource

  init(
    _ configuration: ClientConfiguration, namespace: String?, isStandalone: Bool, time: any TimeSource = SystemTime()
  ) throws {
    client = try configuration.client(userAgent: "bucket-sync/\(Version.current)", time: time)
    self.namespace = namespace ?? configuration.namespace ?? "default"
    isNamespaceGiven = namespace != nil
    self.isStandalone = isStandalone
    self.time = time
  }

  /// A site for tests.
  init(client: KubernetesClient, namespace: String = "default", isStandalone: Bool = false, time: any TimeSource) {
    self.client = client
    self.namespace = namespace
    isNamespaceGiven = false
    self.isStandalone = isStandalone
    self.time = time
  }
}

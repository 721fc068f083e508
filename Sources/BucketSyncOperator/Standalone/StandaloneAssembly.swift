// StandaloneAssembly: the operator, and around it what a cluster would be.
//
//     folder ─▶ ManifestFolder ─┐
//     kubectl, commands ─▶ HTTP ─▶ EmbeddedAPIServer ◀─ the operator, as on a cluster
//     rclone ◀─ LocalJobs ──────┘
//
// Everything is one process; what it must not forget is in the StateFolder.

internal import BucketSyncAPI
internal import BucketSyncCore
internal import FoundationEssentials
internal import KubernetesClient
internal import KubernetesModel
internal import Logging
internal import OperatorRuntime
internal import StandaloneAPI
internal import StandaloneFolder
internal import StandaloneJobs

/// A standalone operator, ready to run.
struct StandaloneAssembly: Sendable {
  private let state: StateFolder
  private let assembly: OperatorAssembly

  /// Takes the state and puts everything together.
  /// - Throws: What is wrong with the settings, the state or the plugins, as one sentence.
  init(
    _ settings: StandaloneSettings, plugins: [any Plugin], environment: [String: String], instance: String
  ) throws {
    let time = SystemTime()
    let logger = try LogSettings(environment: environment).logger(label: "bucket-sync", time: time)
    try Self.checkFolder(settings.folder)
    let state = try StateFolder(path: settings.state)
    let catalog = try StandaloneDefinitions.catalog()
    let server = try EmbeddedAPIServer(
      file: state.database, catalog: catalog, makesNamespaces: true, time: time, logger: logger)
    let front = try StandaloneFront(settings, state: state, server: server, time: time, logger: logger)
    assembly = try OperatorAssembly(
      settings.core, transport: server, host: "standalone", lease: nil, plugins: plugins, instance: instance,
      time: time, random: .system, logger: logger
    ) { client, events, metrics in
      let folder = ManifestFolder(
        path: settings.folder, client: client, types: StandaloneDefinitions.inFolders,
        defaultNamespace: settings.defaultNamespace, time: time, logger: logger, events: events,
        veto: StandaloneDefinitions.veto)
      let jobs = try LocalJobs(
        client: client,
        settings: LocalJobsSettings(
          folder: state.path, nodeName: ProcessInfo.processInfo.hostName, supervisor: SupervisorCommand.program,
          maximumRunning: settings.parallelJobs, environment: environment.filter { ["PATH", "HOME"].contains($0.key) },
          keptLogs: KeptLogs(groupLabel: BucketSyncNames.Label.policy)),
        events: events, time: time, random: .system, logger: logger, metrics: metrics)
      return [
        { _ in
          await server.serve(logsOf: StandaloneLogs(logs: jobs.logs, time: time))
          try await server.run()
        },
        { _ in try await front.run() },
        { _ in try await folder.run() },
        { try await jobs.run(until: $0) },
      ]
    }
    Self.checkRclone(environment, logger)
    self.state = state
  }

  /// Runs until `shutdown` is raised and everything has ended in good order.
  func run(until shutdown: Signal) async throws { try await assembly.run(until: shutdown) }

  /// Tells early what every run would tell.
  private static func checkRclone(_ environment: [String: String], _ logger: Logger) {
    let folders = (environment["PATH"] ?? "").split(separator: ":")
    guard !folders.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/rclone") }) else { return }
    logger.warning("there is no rclone on the PATH: runs will fail until it is installed, https://rclone.org/install/")
  }

  private static func checkFolder(_ path: String) throws(CommandFailure) {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder else {
      throw CommandFailure("\(path): is no folder; give the one with the manifests of policies, or make it")
    }
  }
}

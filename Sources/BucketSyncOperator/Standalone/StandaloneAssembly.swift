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
    assembly = try OperatorAssembly(
      settings.core, transport: server, host: "standalone", lease: nil, plugins: plugins, instance: instance,
      time: time, logger: logger
    ) { client, events, metrics in
      let folder = ManifestFolder(
        path: settings.folder, client: client, types: StandaloneDefinitions.inFolders,
        defaultNamespace: settings.defaultNamespace, time: time, logger: logger, events: events,
        veto: StandaloneDefinitions.veto)
      return [{ try await server.run() }, { try await folder.run() }]
    }
    self.state = state
  }

  /// Runs until `shutdown` is raised and everything has ended in good order.
  func run(until shutdown: Signal) async throws { try await assembly.run(until: shutdown) }

  private static func checkFolder(_ path: String) throws(CommandFailure) {
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder else {
      throw CommandFailure("\(path): is no folder; make it, and put the manifests of policies into it")
    }
  }
}

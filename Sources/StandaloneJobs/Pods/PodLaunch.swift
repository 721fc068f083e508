// From a pod to what its supervisor is told.

internal import FoundationEssentials
internal import KubernetesModel

extension LaunchOrder {
  /// The order for a pod's container.
  /// - Parameter job: Whose time limit counts from its own start.
  init(
    _ pod: LocalPod, environment resolved: ContainerEnvironment, folder: PodFolder, settings: LocalJobsSettings,
    job: LocalJob?, now: Date
  ) {
    var environment = resolved
    for (name, value) in settings.environment { environment.setDefault(name, value) }
    environment.setDefault("TMPDIR", folder.scratch)
    let container = pod.container
    let texts = { (field: String) in (container[field].array ?? []).compactMap(\.string) }
    let command = texts("command")
    self.init(
      folder: folder.path, container: pod.containerName,
      // Without a command, the arguments would be for a program that only an image knows.
      arguments: command.isEmpty ? [] : (command + texts("args")).map { Data(resolved.expand($0)) },
      environment: environment.entries,
      searchPath: environment.values["PATH"].map { String(decoding: $0, as: UTF8.self) } ?? "/usr/bin:/bin",
      workingFolder: container["workingDir"].string.flatMap { $0.isEmpty ? nil : $0 } ?? "/",
      jobLimit: job?.remainingTime(at: now).map { $0 / .seconds(1) },
      podLimit: pod.spec?["activeDeadlineSeconds"].integer.map { Double($0) },
      gracePeriod: Double(pod.specifiedGracePeriod),
      noNewPrivileges: container["securityContext"]["allowPrivilegeEscalation"].bool == false,
      logIsMessage: container["terminationMessagePolicy"].string == "FallbackToLogsOnError",
      log: settings.log)
  }
}

// BucketSyncOperator: the command line `homelab-helper`, for a given set of plugins. Start here.
//
//     @main enum Main {
//       static func main() async { await BucketSyncOperator<MyPlugins>.main() }
//     }

internal import ArgumentParser
internal import Glibc
internal import StandaloneJobs

/// The program `homelab-helper` with the plugins of `Plugins`.
public enum BucketSyncOperator<Plugins: PluginSet> {
  /// Parses the command line, runs the command, and exits with its code.
  public static func main() async {
    // A process that looks after one program needs nothing of what follows.
    if let arguments = SupervisorCommand.arguments(in: CommandLine.arguments) {
      exit(JobSupervisor.main(arguments))
    }
    let arguments = BooleanFlags.normalized(Array(CommandLine.arguments.dropFirst()))
    if let ordered = BucketSyncTools<Plugins>.arguments(in: arguments) {
      await HomelabHelperTools<Plugins>.main(ordered)
    } else {
      await HomelabHelperCommand<Plugins>.main(arguments)
    }
  }
}

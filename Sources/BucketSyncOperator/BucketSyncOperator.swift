// BucketSyncOperator: the command line `homelab-helper`, for a given set of plugins. Start here.
//
//     @main enum Main {
//       static func main() async { await BucketSyncOperator<MyPlugins>.main() }
//     }

internal import ArgumentParser

/// The program `homelab-helper` with the plugins of `Plugins`.
public enum BucketSyncOperator<Plugins: PluginSet> {
  /// Parses the command line, runs the command, and exits with its code.
  public static func main() async {
    await HomelabHelperCommand<Plugins>.main(BooleanFlags.normalized(Array(CommandLine.arguments.dropFirst())))
  }
}

// The command tree: `homelab-helper bucket-sync`, `homelab-helper bucket-sync plugins`, `homelab-helper version`.

internal import ArgumentParser

/// `homelab-helper`.
struct HomelabHelperCommand<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "homelab-helper",
      abstract: "Helpers for running things at home, or anywhere.",
      version: Version.current,
      subcommands: [BucketSyncCommand<Plugins>.self, VersionCommand.self])
  }
}

/// `homelab-helper version`.
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

  func run() { print("homelab-helper \(Version.current)") }
}

/// The version of this program.
enum Version {
  static let current = "0.1.0"
}

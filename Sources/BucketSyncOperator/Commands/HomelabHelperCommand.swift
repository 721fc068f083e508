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

/// `homelab-helper bucket-sync COMMAND`, with nothing between the two.
///
/// ArgumentParser lets `bucket-sync` take its flags wherever they stand, so `bucket-sync get --namespace x` would be about
/// the operator's namespace. Here `bucket-sync` has no flags.
struct HomelabHelperTools<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "homelab-helper", version: Version.current, subcommands: [BucketSyncTools<Plugins>.self])
  }
}

struct BucketSyncTools<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "bucket-sync", subcommands: BucketSyncCommand<Plugins>.subcommands)
  }

  /// The arguments, in the order in which they work, if they name one of the commands below `bucket-sync`.
  ///
  ///     bucket-sync get --namespace x     as it is
  ///     bucket-sync --namespace x get     bucket-sync get --namespace x
  static func arguments(in arguments: [String]) -> [String]? {
    guard arguments.first == configuration.commandName else { return nil }
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    var index = 1
    while index < arguments.count, arguments[index].hasPrefix("-") {
      let isWhole = arguments[index].contains("=") || bareFlags.contains(arguments[index])
      index += isWhole ? 1 : 2
    }
    guard index < arguments.count, names.contains(arguments[index]) else { return nil }
    return [arguments[0], arguments[index]] + arguments[1..<index] + arguments[(index + 1)...]
  }

  /// Flags that take no value.
  private static var bareFlags: [String] { ["--leader-election", "--no-leader-election", "-h", "--help", "--version"] }
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

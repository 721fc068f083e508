// `homelab-helper bucket-sync plugins`: which plugin takes part where, and in which order.

internal import ArgumentParser
internal import BucketSyncCore
internal import FoundationEssentials

/// Prints the extension points and the plugins at them.
struct PluginsCommand<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "plugins", abstract: "Print which plugins take part at which extension point, in order.")
  }

  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let source = SettingSource(environment: ProcessInfo.processInfo.environment)
    let registry = try PluginRegistry(try plugins.plugins(source), environment: .offline)
    for (point, plugins) in registry.overview {
      let name = point.padding(to: 10)
      print(plugins.isEmpty ? "\(name)-" : "\(name)\(plugins.joined(separator: ", "))")
    }
  }
}

extension String {
  /// The text, filled up with spaces.
  fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

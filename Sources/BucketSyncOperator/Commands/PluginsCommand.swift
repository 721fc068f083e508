// `homelab-helper bucket-sync plugins`: which plugin takes part where, in which order, and where its code comes from.

internal import ArgumentParser
internal import BucketSyncCore
internal import FoundationEssentials

/// Prints the extension points and the plugins at them.
struct PluginsCommand<Plugins: PluginSet>: AsyncParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "plugins",
      abstract: "Print which plugins take part at which extension point, in order, and where they come from.")
  }

  @OptionGroup(title: "Plugin options") var plugins: Plugins

  func run() async throws {
    let source = SettingSource(environment: ProcessInfo.processInfo.environment)
    let plugins = try plugins.plugins(source)
    let registry = try PluginRegistry(plugins, environment: .offline)
    let sources = PluginSources(plugins)
    var rows = [["POINT", "PLUGIN", "SOURCE"]]
    for (point, names) in registry.overview {
      rows += names.map { [point, $0, sources.source(of: $0, at: point)] }
      if names.isEmpty { rows.append([point, "-", "-"]) }
    }
    print(Self.table(rows))
  }

  /// Rows in columns that are as wide as what they hold, as kubectl prints them.
  private static func table(_ rows: [[String]]) -> String {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row.dropLast(), widths).map { $0 + String(repeating: " ", count: $1 - $0.count + 3) }.joined()
        + (row.last ?? "")
    }
    .joined(separator: "\n")
  }
}

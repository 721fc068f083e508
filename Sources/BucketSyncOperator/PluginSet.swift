// PluginSet: which plugins an operator has, and the flags that set them up.
//
// A set is a group of command-line options, so that plugins are configured like everything else. To add a plugin to
// the built-in ones:
//
//     struct MyPlugins: PluginSet {
//       @OptionGroup var builtIn: BuiltInPlugins
//       @Option(help: "Where to post outcomes.") var webhook: String
//
//       func plugins(_ environment: SettingSource) throws -> [any Plugin] {
//         try builtIn.plugins(environment) + [Webhook(url: webhook)]
//       }
//     }

public import ArgumentParser
public import BucketSyncCore

/// A list of plugins and their options.
public protocol PluginSet: ParsableArguments {
  /// The plugins, in the order in which they are asked at each extension point.
  /// - Parameter settings: Environment variables to fall back on for options that were not given.
  /// - Throws: `ValidationError` for an option that makes no sense.
  func plugins(_ settings: SettingSource) throws -> [any Plugin]
}

extension [any Plugin] {
  /// The same plugins with `plugin` in the place of the one called `name`.
  /// - Throws: `ValidationError` if there is none of that name.
  public func replacing(_ name: String, with plugin: any Plugin) throws -> [any Plugin] {
    guard let index = firstIndex(where: { $0.name == name }) else {
      throw ValidationError(
        "there is no plugin \"\(name)\" to be replaced: have \(map(\.name).joined(separator: ", "))")
    }
    var plugins = self
    plugins[index] = plugin
    return plugins
  }
}

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

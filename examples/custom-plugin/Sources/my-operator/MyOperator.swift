// The operator's `main`: the built-in plugins with another lock provider, and one plugin more.

import ArgumentParser
import BucketSyncCore
import BucketSyncOperator

@main
enum MyOperator {
  static func main() async { await BucketSyncOperator<MyPlugins>.main() }
}

/// Our plugins, and the flags that set them up.
struct MyPlugins: PluginSet {
  @OptionGroup var builtIn: BuiltInPlugins

  @Option(help: "Hours of the day (UTC) in which no sync starts, such as 8-18. (env: BUSY_HOURS; default: none)")
  var busyHours: String?

  func plugins(_ settings: SettingSource) throws -> [any Plugin] {
    var plugins = try builtIn.plugins(settings).replacing("BucketLock", with: LeaseLock())
    if let text = settings.value(busyHours, "BUSY_HOURS") {
      guard let hours = BusyHours(text) else {
        throw ValidationError("--busy-hours \"\(text)\" is no range of hours: write for example 8-18")
      }
      plugins.append(hours)
    }
    return plugins
  }
}

// The executable: the operator with its built-in plugins. A site's own operator is a `main` like this one with a
// PluginSet of its own.

import BucketSyncOperator

@main
enum HomelabHelper {
  static func main() async { await BucketSyncOperator<BuiltInPlugins>.main() }
}

// Finding the scripts among an operator's plugins, for the commands that work on them.

internal import ArgumentParser
internal import BucketSyncCore
internal import LuaHooks

extension [any Plugin] {
  /// The plugin that runs scripts.
  /// - Throws: `ValidationError` if this operator has none.
  func hooks() throws -> LuaHooks {
    for plugin in self {
      if let hooks = plugin as? LuaHooks { return hooks }
    }
    throw ValidationError("this operator has no plugin LuaHooks")
  }

  /// The same plugins, with the scripts in `folder`; only those called `only`, if given.
  func withScripts(in folder: String?, only: [String]? = nil) throws -> [any Plugin] {
    var hooks = try hooks()
    hooks.folder = folder
    hooks.only = only
    return try replacing(hooks.name, with: hooks)
  }
}

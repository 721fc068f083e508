// Where the code of plugins comes from: this program, the files of scripts, or the module of whoever wrote them.

internal import BucketLock
internal import BucketSyncCore
internal import LuaHooks
internal import LuaSandbox
internal import RcloneJob

/// The sources of an operator's plugins.
struct PluginSources {
  private let plugins: [any Plugin]
  private let scripts: [CheckedScript]

  init(_ plugins: [any Plugin]) {
    self.plugins = plugins
    scripts = plugins.compactMap { $0 as? LuaHooks }.flatMap { $0.folder == nil ? [] : $0.check().scripts }
  }

  /// `built in`; for scripts the files, in the order in which they are called; the module of other plugins.
  func source(of name: String, at point: String) -> String {
    guard let plugin = plugins.first(where: { $0.name == name }) else { return "-" }
    switch plugin {
    case is LuaHooks:
      let files = scripts.filter { $0.points.contains { "\($0)" == point } }.map(\.script.name)
      return files.isEmpty ? "no script" : files.joined(separator: ", ")
    case is BucketLock, is RcloneJob: return "built in"
    default: return "module " + String(reflecting: type(of: plugin)).prefix { $0 != "." }
    }
  }
}

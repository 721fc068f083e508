// PluginRegistry: who takes part at which extension point, in order. Built once at start-up, then only read.

package import KubernetesModel
internal import Logging
package import OperatorRuntime

/// Why a set of plugins cannot be used.
public enum PluginError: Error, Sendable, Hashable, CustomStringConvertible {
  case duplicateName(String)
  case secondProvider(point: String, first: String, second: String)
  case missingProvider(point: String)
  case registrationFailed(plugin: String, reason: String)

  /// One sentence that names the plugins and the way out.
  public var description: String {
    switch self {
    case .duplicateName(let name):
      "two plugins are called \"\(name)\": give each a name of its own"
    case .secondProvider(let point, let first, let second):
      "plugins \"\(first)\" and \"\(second)\" both provide \(point), which takes exactly one: leave one out"
    case .missingProvider(let point):
      "no plugin provides \(point): add one (the built-in set has it)"
    case .registrationFailed(let plugin, let reason):
      "plugin \"\(plugin)\" cannot be set up: \(reason)"
    }
  }
}

/// The plugins of one operator by extension point.
package struct PluginRegistry: Sendable {
  /// One plugin's part at one point.
  package struct Entry<Hook: Sendable>: Sendable {
    package let plugin: String
    package let hook: Hook

    package init(_ plugin: String, _ hook: Hook) {
      self.plugin = plugin
      self.hook = hook
    }
  }

  package var preLock: [Entry<any PreLockHook>] = []
  package var lock: Entry<any LockProvider>?
  package var jobName: [Entry<any JobNameHook>] = []
  package var builder: Entry<any JobBuilder>?
  package var transformers: [Entry<any JobTransformer>] = []
  package var postSync: [Entry<any PostSyncHook>] = []
  package var caches: [CacheRequest] = []
  package var backgroundTasks: [Entry<@Sendable () async throws -> Void>] = []
  /// Names of all plugins in list order.
  package private(set) var plugins: [String] = []

  /// Registers `plugins` in order.
  /// - Throws: ``PluginError`` for duplicate names, a second or missing provider, or a plugin that cannot be set up.
  package init(_ plugins: [any Plugin], environment: PluginEnvironment) throws(PluginError) {
    for plugin in plugins {
      guard !self.plugins.contains(plugin.name) else { throw .duplicateName(plugin.name) }
      self.plugins.append(plugin.name)
      self = try Self.adding(plugin, to: self, environment: environment)
    }
    if lock == nil { throw .missingProvider(point: "lock") }
    if builder == nil { throw .missingProvider(point: "buildJob") }
  }

  private static func adding(
    _ plugin: any Plugin, to registry: PluginRegistry, environment: PluginEnvironment
  ) throws(PluginError) -> PluginRegistry {
    var environment = environment
    environment.logger[metadataKey: "plugin"] = "\(plugin.name)"
    var setup = PluginSetup(environment: environment, plugin: plugin.name, registry: registry)
    do {
      try plugin.register(with: &setup)
      return setup.registry
    } catch let error as PluginError {
      throw error
    } catch {
      throw .registrationFailed(plugin: plugin.name, reason: "\(error)")
    }
  }

  /// Each point with the names of the plugins at it, in the order a run meets them.
  package var overview: [(point: String, plugins: [String])] {
    [
      ("preLock", preLock.map(\.plugin)),
      ("jobName", jobName.map(\.plugin)),
      ("buildJob", [builder?.plugin].compactMap(\.self) + transformers.map(\.plugin)),
      ("lock", [lock?.plugin].compactMap(\.self)),
      ("postSync", postSync.map(\.plugin)),
    ]
  }
}

/// A cache that a plugin asked for, to be filled by the operator.
package struct CacheRequest: Sendable {
  /// What fills the cache.
  package let sources: @Sendable (any CacheSourceFactory) -> [any CacheSource]

  init<Object: KubernetesObject>(store: ObjectStore<Object>, namespace: String?, labels: String?) {
    sources = { $0.sources(of: store, namespace: namespace, labels: labels) }
  }
}

/// Makes what fills caches.
package protocol CacheSourceFactory: Sendable {
  /// - Parameter namespace: Only objects in this namespace; `nil` for all that the operator looks after.
  func sources<Object: KubernetesObject>(
    of store: ObjectStore<Object>, namespace: String?, labels: String?
  ) -> [any CacheSource]
}

// An API server in this process: what the reconcilers need of kube-apiserver and of the controller manager's garbage
// collector, on SQLite. Start reading here.
//
//     EmbeddedAPIServer    requests and watches, one at a time, on a thread of its own
//     ObjectVerbs          what creating, changing and deleting mean; GarbageCollection; Deletion
//     StructuralSchema     pruning, defaults and validation by the CustomResourceDefinitions of the chart
//     ObjectDatabase       objects and the last changes, durable
//     ResourceDefinition   what is served; ResourceCatalog tells of it (discovery)
//
// Where it differs from kube-apiserver is listed in docs/standalone.md; the contract tests run on both.

import FoundationEssentials
internal import KubernetesClient
package import KubernetesModel
package import Logging
internal import OperatorRuntime

/// Answers requests from a database in a file.
package actor EmbeddedAPIServer {
  /// Why the server cannot start.
  package struct CannotOpen: Error, Sendable, CustomStringConvertible {
    package let description: String
  }

  var verbs: ObjectVerbs
  let catalog: ResourceCatalog
  let time: any TimeSource
  var logs: (any ContainerLogs)?
  let logger: Logger
  private let executor: any SerialExecutor

  var watchers: [Int: Watcher] = [:]
  var watchCount = 0
  /// What the garbage collector has to look at.
  var candidates: [ObjectAddress] = []
  /// Raised when there is something for ``run()`` to do.
  var hasWork = Signal()

  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// Opens the database in `file`; `:memory:` makes a passing one.
  /// - Parameters:
  ///   - catalog: What is served.
  ///   - makesNamespaces: Whether a namespace is made when something is created in it.
  ///   - logs: Where the logs of containers are; without it there are none.
  ///   - executor: Where requests are worked on; a thread of its own if `nil`.
  ///   - uid: Makes the UIDs of objects.
  /// - Throws: ``CannotOpen`` naming the file and the way out.
  package init(
    file: String, catalog: ResourceCatalog, makesNamespaces: Bool, logs: (any ContainerLogs)? = nil,
    time: any TimeSource, logger: Logger, executor: (any SerialExecutor)? = nil,
    uid: @escaping @Sendable () -> String = { UUID().uuidString.lowercased() }
  ) throws(CannotOpen) {
    guard let executor = executor ?? DatabaseThread() else {
      throw CannotOpen(description: "the system gives no thread for the database")
    }
    do throws(SQLiteError) {
      let database = try ObjectDatabase(file: file)
      if let damage = try database.damage() { throw .damaged(damage) }
      verbs = ObjectVerbs(database: database, catalog: catalog, makesNamespaces: makesNamespaces, uid: uid)
    } catch {
      throw CannotOpen(description: Self.explain(error, file: file))
    }
    do throws(Refusal) {
      let options = WriteOptions(now: Timestamp(time.now))
      var database = verbs.database
      var working = verbs
      try database.transaction(orFail: Refusal.storage) { inner throws(Refusal) in
        working.database = inner
        try working.installDefinitions(options)
        inner = working.database
      }
      working.database = database
      working.changes = []
      verbs = working
    } catch {
      throw CannotOpen(description: "\(file): \(error)")
    }
    self.executor = executor
    self.catalog = catalog
    self.time = time
    self.logs = logs
    self.logger = logger
  }

  /// Says where the logs of containers are from now on.
  package func serve(logsOf logs: any ContainerLogs) { self.logs = logs }

  private static func explain(_ error: SQLiteError, file: String) -> String {
    if error.isBusy { return "\(file): another process has it; only one instance can use a state at a time" }
    if error.isCorrupt {
      return
        "\(file): is damaged: \(error); restore it from a backup, or move it away to start with the manifests alone"
    }
    return "\(file): \(error)"
  }
}

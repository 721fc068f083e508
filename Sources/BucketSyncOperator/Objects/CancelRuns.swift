// `cancel`: a run is cancelled by deleting its object. The operator stops the Job, releases the locks and lets go.

internal import BucketSyncAPI
internal import KubernetesClient
internal import KubernetesModel

struct CancelRuns: Sendable {
  let site: ObjectSite
  /// Also delete runs that have finished.
  var isForced = false
  var waits = true
  let print: @Sendable (String) -> Void
  let warn: @Sendable (String) -> Void

  /// Cancels the runs, each by itself.
  /// - Returns: Whether all of them could be.
  func cancel(_ names: [String]) async throws -> Bool {
    var isFine = true
    for name in names {
      do {
        let name = try site.split(name, default: .runs, among: [.runs]).name
        try await cancel(site.run(name))
      } catch let failure as CommandFailure {
        warn("Error: \(failure)")
        isFine = false
      }
    }
    return isFine
  }

  private func cancel(_ run: BucketSync) async throws {
    let name = run.metadata.name
    if run.isFinished, !isForced {
      throw CommandFailure(
        "run \(name) has finished already (\(run.status?.result?.rawValue ?? "")): there is nothing to cancel; "
          + "--force deletes what is left of it, its record")
    }
    do {
      try await site.client.delete(
        BucketSync.self, run.key, DeleteOptions(uid: run.metadata.uid, propagation: .background))
    } catch {
      guard !error.isNotFound else { throw CommandFailure("run \(name) is gone already") }
      guard !error.isConflict else {
        throw CommandFailure("run \(name) was replaced by another one of that name; look at it first")
      }
      throw site.explained(error)
    }
    if waits { try await untilGone(run) }
    print("run \(name) \(run.isFinished ? "deleted" : waits ? "cancelled" : "is being cancelled")")
    if let file = run.metadata.annotations?[Description.manifest] {
      warn(
        "run \(name) is in \(file) of the folder: take it out there, or it is made again when the operator starts anew")
    }
  }

  /// Its Job has to stop, and its locks to be released, first.
  private func untilGone(_ run: BucketSync) async throws {
    _ = try await RunEvents(site: site, key: run.key, withLog: false).first { event -> Bool? in
      switch event {
      case .gone: true
      case .run(let now): now.metadata.uid == run.metadata.uid ? nil : true
      default: nil
      }
    }
  }
}

// ManifestFolder: manifests in a folder, kept applied. Start reading here.
//
//     Watching/    when to look: inotify, quiet, intervals        Reading/    files → manifests, with places
//     FolderContent.swift    what is in the folder now            Applying/   manifest → object, as kubectl apply does
//     FolderPass.swift       one round: apply, then delete        Problems/   what is wrong, told once
//
// It goes in rounds. A round looks through the folder by names and times, reads what may have changed, applies what
// has, and then deletes what came from the folder and is in no file any more. What failed for a passing reason comes up
// again with growing delays. Without a change there is no write, and no request at all.
//
// Careful about deleting: only objects that carry the annotation `…/manifest` are ever deleted, and not while it is
// uncertain whether they are still wanted. A file with anything wrong in it loses none of its objects, whether they can
// be read or not; a folder that is gone, unreadable or turned into an empty one (unmounted) loses none either. A folder
// that somebody has emptied does: it is still the same folder (device and inode), and was seen with manifests before.
// Other documents of a file with a bad one are applied, as kubectl does; of a file that is no YAML, none.

package import KubernetesClient
package import KubernetesModel
package import Logging
package import OperatorRuntime

/// Keeps the manifests of a folder applied.
package struct ManifestFolder: Sendable {
  /// Raised when the folder has been applied once, with or without problems.
  package let firstPassDone = Signal()

  private let path: String
  private let kinds: ManifestKinds
  private let applier: ManifestApplier
  private let time: any TimeSource
  private let logger: Logger
  private let events: EventRecorder?
  private let random: RandomSource
  private let book: ProblemBook
  private let mostWatches: Int
  private let followsMounts: Bool

  /// A folder that is not looked at before ``run()``.
  /// - Parameters:
  ///   - path: The folder; it need not be there yet.
  ///   - types: What may be in it. Kinds of other groups are left out, and said to be.
  ///   - defaultNamespace: Where objects go that say no namespace.
  ///   - events: Where objects are told that their manifest is refused.
  ///   - veto: What must not be changed although the API would take it.
  ///   - mostWatches: How many folders may be watched, beside the system's own limit.
  ///   - followsMounts: Whether to look again when anything is mounted on this machine, or taken away.
  package init(
    path: String, client: KubernetesClient, types: [ResourceType], defaultNamespace: String = "default",
    time: any TimeSource, random: RandomSource = .system, logger: Logger, events: EventRecorder? = nil,
    veto: ManifestVeto? = nil, mostWatches: Int = .max, followsMounts: Bool = true
  ) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    kinds = ManifestKinds(types: types, defaultNamespace: defaultNamespace)
    applier = ManifestApplier(client: client, veto: veto)
    self.time = time
    self.random = random
    self.logger = logger
    self.events = events
    book = ProblemBook(logger: logger)
    self.mostWatches = mostWatches
    self.followsMounts = followsMounts
  }

  /// What is wrong at present, in the order of files and lines; empty when all is applied as it is written.
  package var problems: [ManifestProblem] { book.problems }

  /// Keeps the folder applied until the task is cancelled.
  /// - Throws: `CancellationError`.
  package func run() async throws {
    var watcher = FolderWatcher(
      root: path, time: time, logger: logger, mostWatches: mostWatches, followsMounts: followsMounts)
    defer { watcher.close() }
    var content = FolderContent(root: path, kinds: kinds)
    var rounds = FolderPass(
      applier: applier, objects: try await presentObjects(), time: time, random: random, logger: logger)
    while true {
      let changes = watcher.takeChanges()
      let found: Result<FolderScan, SystemFailure>
      do throws(SystemFailure) { found = .success(try watcher.scan()) } catch { found = .failure(error) }
      content.update(
        found, changes: changes, beingWritten: watcher.beingWritten, hasObjects: rounds.hasObjects)
      let problems = await rounds.run(content)
      try Task.checkCancellation()
      let new = book.replace(with: problems)
      tell(new, rounds)
      firstPassDone.raise()
      try await watcher.untilNext(within: rounds.nextRetry)
    }
  }

  /// Tells the objects that exist that their manifests are refused.
  private func tell(_ problems: [ManifestProblem], _ rounds: FolderPass) {
    guard let events else { return }
    for problem in problems where problem.severity == .error {
      guard let object = problem.object, let reference = rounds.references[object] else { continue }
      events.record(.warning, regarding: reference, reason: "ManifestRefused", action: "Apply", note: "\(problem)")
    }
  }

  /// Which objects exist, and which file those from the folder came from.
  private func presentObjects() async throws -> PresentObjects {
    let backoff = Backoff(initial: .milliseconds(250), limit: .seconds(30))
    var failures = 0
    while true {
      do throws(APIError) {
        var present = PresentObjects()
        for type in kinds.types { try await present.add(type, from: applier.client) }
        return present
      } catch {
        try Task.checkCancellation()
        failures += 1
        if failures == 1 {
          logger.warning("the folder waits until the API answers", metadata: ["error": "\(error)"])
        }
        try await time.sleep(for: backoff.delay(afterFailures: failures, random: random))
      }
    }
  }
}

/// What there was when the folder was first looked at.
struct PresentObjects: Sendable {
  private(set) var all: Set<ManifestID> = []
  /// The file that each object from the folder came from.
  private(set) var files: [ManifestID: String] = [:]

  mutating func add(_ type: ResourceType, from client: KubernetesClient) async throws(APIError) {
    do throws(APIError) {
      for metadata in try await client.listMetadata(type) {
        let id = ManifestID(type: type, key: metadata.key)
        all.insert(id)
        if let file = metadata.annotations?[ManifestAnnotations.manifest] { files[id] = file }
      }
    } catch {
      // A type that is not served, or not to be seen, has nothing of ours.
      guard error.isNotFound || error.isForbidden else { throw error }
    }
  }
}

// One round over the folder's content: apply what is new, delete what is gone, remember what failed.

import KubernetesModel
import Logging
import OperatorRuntime

/// What was done so far, and the next round of it.
struct FolderPass {
  /// How many objects are applied at a time.
  private static let concurrency = 8
  /// More than this, and a line tells of them in all instead of one of each.
  private static let mostLines = 20

  /// What came of an object's manifest.
  private enum State {
    case applied(Manifest)
    case refused(Manifest, [ManifestProblem])
    case failed(Manifest, ManifestProblem)

    var manifest: Manifest {
      switch self {
      case .applied(let manifest), .refused(let manifest, _), .failed(let manifest, _): manifest
      }
    }

    var problems: [ManifestProblem] {
      switch self {
      case .applied: []
      case .refused(_, let problems): problems
      case .failed(_, let problem): [problem]
      }
    }
  }

  private struct Retry {
    var failures: Int
    var due: Duration
  }

  private let applier: ManifestApplier
  private let time: any TimeSource
  private let random: RandomSource
  private let logger: Logger
  private let backoff = Backoff(initial: .milliseconds(500), limit: .seconds(300))
  /// Objects that were there at the start, before any round; `nil` afterwards.
  private var present: Set<ManifestID>?
  /// The file that each object came from.
  private var origins: [ManifestID: String]
  private var states: [ManifestID: State] = [:]
  private var prunings: [ManifestID: ManifestProblem] = [:]
  private var retries: [ManifestID: Retry] = [:]
  /// The objects that exist although their manifests are refused, by their titles.
  private(set) var references: [String: ObjectReference] = [:]

  init(
    applier: ManifestApplier, objects: PresentObjects, time: any TimeSource, random: RandomSource, logger: Logger
  ) {
    self.applier = applier
    self.time = time
    self.random = random
    self.logger = logger
    present = objects.all
    origins = objects.files
  }

  /// Whether any object is known to have come from the folder.
  var hasObjects: Bool { !origins.isEmpty }

  /// How long until something that failed is to be tried again.
  var nextRetry: Duration? {
    retries.values.map(\.due).min().map { max(.zero, $0 - time.uptime) }
  }

  /// Makes the objects what the content says.
  /// - Returns: What is wrong.
  mutating func run(_ content: FolderContent) async -> [ManifestProblem] {
    let (wanted, duplicates) = content.wanted { origins[$0] }
    let applied = await apply(wanted)
    for id in Array(states.keys) where wanted[id] == nil {
      states[id] = nil
      retries[id] = nil
    }
    var bad = Set(states.values.flatMap(\.problems).map(\.file))
    bad.formUnion(duplicates.map(\.file))
    let deleted = await prune(except: wanted, content, bad: bad)
    tell(applied.merging(["deleted": deleted]) { $1 })
    present = nil
    return content.problems + duplicates + states.values.flatMap(\.problems) + prunings.values
  }

  // MARK: Applying

  /// Applies what has changed and what is to be tried again; the objects written, by what was done to them.
  private mutating func apply(_ wanted: [ManifestID: Manifest]) async -> [String: [String]] {
    let due = wanted.values.filter(isDue).sorted { $0.order < $1.order }
    var written: [String: [String]] = [:]
    // What others refer to comes first.
    for tier in [due.filter { $0.order.0 == 0 }, due.filter { $0.order.0 == 1 }] {
      for (manifest, outcome) in await outcomes(of: tier) {
        if let verb = take(outcome, of: manifest) { written[verb, default: []].append(manifest.title) }
      }
    }
    return written
  }

  private func isDue(_ manifest: Manifest) -> Bool {
    guard let state = states[manifest.id], state.manifest.isSame(as: manifest) else { return true }
    guard case .failed = state else { return false }
    return (retries[manifest.id]?.due ?? .zero) <= time.uptime
  }

  private func outcomes(of manifests: [Manifest]) async -> [(Manifest, ManifestApplier.Outcome)] {
    await withTaskGroup(of: (Manifest, ManifestApplier.Outcome).self) { group in
      var rest = manifests[...]
      var outcomes: [(Manifest, ManifestApplier.Outcome)] = []
      func addNext() {
        guard let manifest = rest.popFirst() else { return }
        let mayExist = present?.contains(manifest.id) ?? true
        group.addTask { [applier] in (manifest, await applier.apply(manifest, mayExist: mayExist)) }
      }
      for _ in 0..<Self.concurrency { addNext() }
      while let outcome = await group.next() {
        outcomes.append(outcome)
        addNext()
      }
      return outcomes
    }
  }

  /// - Returns: What was done to the object, if anything.
  private mutating func take(_ outcome: ManifestApplier.Outcome, of manifest: Manifest) -> String? {
    let id = manifest.id
    let retry = retries.removeValue(forKey: id)
    references["\(id)"] = nil
    switch outcome {
    case .unchanged, .created, .changed:
      states[id] = .applied(manifest)
      origins[id] = manifest.file
      prunings[id] = nil
      if case .created = outcome { return "created" }
      if case .changed = outcome { return "changed" }
    case .refused(let problems, let stored):
      states[id] = .refused(manifest, problems)
      references["\(id)"] = stored
    case .later(let problem, let delay):
      states[id] = .failed(manifest, problem)
      // A file that has changed meanwhile deserves a fresh start.
      postpone(id, after: retry?.failures ?? 0, atLeast: delay)
    }
    return nil
  }

  private mutating func postpone(_ id: ManifestID, after failures: Int, atLeast delay: Duration?) {
    let pause = max(delay ?? .zero, backoff.delay(afterFailures: failures + 1, random: random))
    retries[id] = Retry(failures: failures + 1, due: time.uptime + pause)
  }

  // MARK: Deleting

  /// Deletes what came from the folder and is in no file any more; the objects deleted.
  private mutating func prune(
    except wanted: [ManifestID: Manifest], _ content: FolderContent, bad: Set<String>
  ) async -> [String] {
    var deleted: [String] = []
    for (id, file) in origins.sorted(by: { $0.key.key < $1.key.key }) where wanted[id] == nil {
      guard !content.spares(id, from: file, bad: bad), (retries[id]?.due ?? .zero) <= time.uptime else { continue }
      let retry = retries.removeValue(forKey: id)
      prunings[id] = nil
      switch await applier.prune(id, from: file) {
      case .deleted:
        origins[id] = nil
        deleted.append("\(id) (\(file))")
      case .released:
        origins[id] = nil
      case .later(let problem):
        prunings[id] = problem
        postpone(id, after: retry?.failures ?? 0, atLeast: nil)
      }
    }
    return deleted
  }

  private func tell(_ done: [String: [String]]) {
    for (verb, objects) in done.sorted(by: { $0.key < $1.key }) where !objects.isEmpty {
      if objects.count <= Self.mostLines {
        for object in objects.sorted() { logger.info("manifest: \(verb)", metadata: ["object": "\(object)"]) }
      } else {
        logger.info("manifests: \(verb)", metadata: ["objects": "\(objects.count)"])
      }
    }
  }
}

extension Manifest {
  /// Core types, which hold what others refer to, before the others; else by file.
  fileprivate var order: (Int, String, ObjectKey) { (id.type.group.isEmpty ? 0 : 1, file, id.key) }
  fileprivate var title: String { "\(id) (\(file))" }
}

// Many syncs between a dozen buckets, each of which several of them want; and what has to have come of them.
//
//     s0…s3  ──main──▶  d0…d3     policies p0…p3, and w0…w3 to the neighbour of each
//     d0…d3  ──────────▶  e0…e3     policies q0…q3: everything that d has
//     s…/run-7 ─────────▶ d…/run-7  runs made by hand, each with an object of its own
//
// A bucket is locked as a whole, so each d is wanted by three policies and by every run made by hand to it. Sources never
// change while somebody may read them, so every run has one right result.

import BucketSyncAPI
import FaultProxy
import FoundationEssentials
import KubernetesClient
import KubernetesModel
import Synchronization
import Testing

/// The load of one test.
final class ChaosLoad: Sendable {
  /// How much there is to do.
  struct Settings: Sendable {
    /// Runs made by hand, at least.
    var runs = 26
    /// Further ones are made so that as many runs as this are waiting or at work.
    var unfinished = 0
    /// When the policies of the first row make runs.
    var schedule = "@every 20s"
    /// How many times each policy is triggered, at least.
    var triggers = 1
  }

  private struct State {
    var runs: [String] = []
    /// How many times each policy was triggered.
    var triggers: [String: Int] = [:]
    var foreign: Set<String> = []
  }

  let world: World
  private let settings: Settings
  private let sources: [Bucket]
  private let middles: [Bucket]
  private let ends: [Bucket]
  private let state = Mutex(State())

  private static let direct = (0..<4).flatMap { ["p\($0)", "w\($0)"] }
  private static let following = (0..<4).map { "q\($0)" }

  private init(_ world: World, _ settings: Settings, _ sources: [Bucket], _ middles: [Bucket], _ ends: [Bucket]) {
    self.world = world
    self.settings = settings
    self.sources = sources
    self.middles = middles
    self.ends = ends
  }

  /// How many runs were made by hand, how many triggers were set.
  var counts: (runs: Int, triggers: Int) {
    state.withLock { ($0.runs.count, $0.triggers.values.reduce(0, +)) }
  }

  /// Makes buckets and policies, and some objects that are nobody's business.
  static func prepare(_ world: World, _ settings: Settings = Settings()) async throws -> ChaosLoad {
    func row(_ name: String, _ endpoint: String) async throws -> [Bucket] {
      var buckets: [Bucket] = []
      for number in 0..<4 { buckets.append(try await world.bucket("\(name)\(number)", at: endpoint)) }
      return buckets
    }
    let load = ChaosLoad(
      world, settings, try await row("s", "A"), try await row("d", "B"), try await row("e", "C"))
    for (number, source) in load.sources.enumerated() {
      for object in 0..<5 { try source.write("main/folder/object-\(object)", "object \(object) of s\(number)") }
    }
    try await load.makeForeignObjects()
    for number in 0..<4 {
      try await load.makePolicy("p\(number)", number, "main", number, "main", scheduled: true)
      try await load.makePolicy("w\(number)", number, "main", (number + 1) % 4, "neighbour", scheduled: false)
      try await world.create(
        world.policy("q\(number)", from: load.middles[number], to: load.ends[number], schedule: load.schedule(false)))
    }
    return load
  }

  private func schedule(_ often: Bool) -> String { often ? settings.schedule : "0 0 29 2 *" }

  private func makePolicy(
    _ name: String, _ source: Int, _ folder: String, _ destination: Int, _ target: String, scheduled: Bool
  ) async throws {
    var policy = world.policy(name, from: sources[source], to: middles[destination], schedule: schedule(scheduled))
    policy.spec.source += "/\(folder)"
    policy.spec.destination += "/\(target)"
    try await world.create(policy)
  }

  // MARK: At work

  /// Makes runs and triggers until `isOver` and as many as wanted have been made.
  func feed(until isOver: () -> Bool) async throws {
    while true {
      let made = counts
      let wanted = settings.triggers * (Self.direct + Self.following).count
      if isOver(), made.runs >= settings.runs, made.triggers >= wanted { return }
      let unfinished = try? await world.all(BucketSync.self).count { !$0.isFinished }
      if let unfinished {
        let missing = isOver() ? 0 : settings.unfinished - unfinished
        for _ in 0..<max(missing, made.runs < settings.runs ? 2 : 0) { try await makeRun() }
        for policy in Self.direct + Self.following { try await trigger(policy) }
      }
      try await Task.sleep(for: .milliseconds(1500))
    }
  }

  /// Makes one run by hand.
  @discardableResult
  func makeRun() async throws -> String {
    let number = counts.runs
    let name = "run-\(number)"
    let (source, destination) = (sources[number % 4], middles[(number / 4 + number * 3) % 4])
    try source.write("\(name)/object", "the object of \(name)")
    var run = world.run(name, from: source, to: destination)
    run.spec.source += "/\(name)"
    run.spec.destination += "/\(name)"
    try await Chaos.persistently("\(name) is made") {
      do { _ = try await world.client.create(run) } catch let error as APIError where error.isAlreadyExists {}
    }
    state.withLock { $0.runs.append(name) }
    return name
  }

  /// Triggers a policy, unless it still has a trigger to answer, or has had enough of them.
  private func trigger(_ policy: String, last: Bool = false) async throws {
    let count = state.withLock { $0.triggers[policy] ?? 0 }
    guard last || count < settings.triggers else { return }
    guard let found = try? await world.get(BucketSyncPolicy.self, policy),
      found.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil
    else { return }
    // Of the same value, so that it stays one trigger when its answer is lost.
    try await Chaos.persistently("\(policy) is triggered") { try await world.syncNow(policy, "trigger-\(count)") }
    state.withLock { $0.triggers[policy] = count + 1 }
  }

  // MARK: At the end

  /// Lets everything end, and syncs once more what everybody may have changed.
  func settle() async throws {
    for policy in Self.direct where policy.hasPrefix("p") {
      try await Chaos.persistently("\(policy) is suspended") { try await world.suspend(policy) }
    }
    try await rest()
    for source in sources { try source.write("main/last", "the last object") }
    for row in [Self.direct, Self.following] {
      for policy in row { try await trigger(policy, last: true) }
      try await rest()
    }
  }

  /// Returns when no run is unfinished and no trigger unanswered.
  private func rest() async throws {
    try await Chaos.eventually("all runs have ended and all triggers are answered", within: .seconds(900)) {
      let runs = try await world.all(BucketSync.self)
      let policies = try await world.all(BucketSyncPolicy.self)
      return runs.allSatisfy(\.isFinished)
        && policies.allSatisfy { $0.metadata.annotations?[BucketSyncNames.Annotation.syncNow] == nil }
    }
  }

  /// Everything that is not as it has to be, and what there was.
  func verify(into report: inout ChaosReport) async throws {
    let runs = try await world.all(BucketSync.self)
    for run in runs where run.status?.result != .succeeded {
      report.violations.append(
        "run \(run.metadata.name): \(run.status?.result?.rawValue ?? "-"): \(run.status?.error ?? "")")
    }
    let names = Set(runs.map(\.metadata.name))
    for name in state.withLock(\.runs) where !names.contains(name) { report.violations.append("\(name) is lost") }
    let byPolicy = Dictionary(grouping: runs) { $0.metadata.controllerOwner?.name ?? "" }
    for (policy, triggers) in state.withLock(\.triggers) {
      let manual = (byPolicy[policy] ?? []).count { $0.metadata.name.contains("-manual-") }
      if manual != triggers { report.violations.append("\(policy): \(triggers) triggers made \(manual) runs") }
    }
    let scheduled = runs.filter { $0.metadata.annotations?[BucketSyncNames.Annotation.scheduledAt] != nil }
    let ticks = Dictionary(grouping: scheduled) { run in
      let tick = run.metadata.annotations?[BucketSyncNames.Annotation.scheduledAt]
      return "\(run.metadata.controllerOwner?.name ?? "") \(tick ?? "")"
    }
    for (tick, runs) in ticks where runs.count > 1 { report.violations.append("\(runs.count) runs of tick \(tick)") }
    let policies = Set(scheduled.compactMap { $0.metadata.controllerOwner?.name })
    for number in 0..<4 where !policies.contains("p\(number)") {
      report.violations.append("p\(number) made no scheduled run")
    }
    try compareBuckets(into: &report)
    for object in state.withLock(\.foreign).subtracting(try await foreignObjects()) {
      report.violations.append("something of somebody else's was touched: \(object)")
    }
    report.figures += [
      ("runs", runs.count), ("scheduled", scheduled.count), ("triggered", counts.triggers), ("by hand", counts.runs),
    ]
  }

  private func compareBuckets(into report: inout ChaosReport) throws {
    var wanted: [[String: Data]] = Array(repeating: [:], count: 4)
    for (number, source) in sources.enumerated() {
      for (name, content) in try source.objects() where name.hasPrefix("main/") {
        wanted[number][name] = content
        wanted[(number + 1) % 4]["neighbour/" + name.dropFirst(5)] = content
      }
    }
    for number in 0..<counts.runs {
      wanted[(number / 4 + number * 3) % 4]["run-\(number)/object"] = Data("the object of run-\(number)".utf8)
    }
    for number in 0..<4 {
      for bucket in [middles[number], ends[number]] {
        let objects = try bucket.objects()
        guard objects != wanted[number] else { continue }
        let names = Set(objects.keys).symmetricDifference(wanted[number].keys).sorted()
        report.violations.append("bucket \(bucket.name) is not as it has to be: \(names)")
      }
    }
  }

  // MARK: What is nobody's business

  private func makeForeignObjects() async throws {
    try await world.createSecret("foreign", ["key": "value"])
    let metadata = ObjectMeta(name: "bucket-sync-lock-foreign", namespace: world.namespace)
    try await world.create(ConfigMap(metadata: metadata, data: ["of": "others"]))
    try await world.apply([
      "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "foreign"],
      "spec": [
        "parallelism": 0,
        "template": [
          "spec": ["restartPolicy": "Never", "containers": [["name": "foreign", "image": "none.invalid/foreign"]]]
        ],
      ],
    ])
    try await until("the foreign Job is seen") {
      try await world.kubectl("get", "job", "foreign", "--output", "jsonpath={.status}").isEmpty == false
    }
    let objects = try await foreignObjects()
    state.withLock { $0.foreign = objects }
  }

  private func foreignObjects() async throws -> Set<String> {
    let text = try await world.kubectl(
      "get", "secret/foreign", "configmap/bucket-sync-lock-foreign", "job/foreign",
      "--output", "jsonpath={range .items[*]}{.kind} {.metadata.uid} {.metadata.resourceVersion};{end}")
    return Set(text.split(separator: ";").map(String.init))
  }
}

// How chaos tests are run: for how long, from which seed, and what they say in the end. Start here.
//
//     FaultyWay      a way from a controller to the real API server on which things go wrong (see FaultProxy)
//     ChaosLoad      many syncs between overlapping buckets, and what has to have come of them
//     RcloneWitness  which rclone ran when, by containerd
//     Servers        kills parts of the testbed, and makes etcd forget
//
// CHAOS_SEED=… has the same faults decided again; CHAOS_SECONDS=… says how long the long ones go on.

import FaultProxy
import FoundationEssentials
import SystemPackage
import Testing

enum Chaos {
  /// Whether tests may kill parts of the testbed, which disturbs whoever else uses it: `BUCKET_SYNC_DISTURB=1`.
  static let mayDisturb =
    Testbed.hasNetwork && Testbed.environment["BUCKET_SYNC_DISTURB"] == "1"
    && Testbed.environment["TESTBED_DIR"] != nil

  /// How long servers are killed for; everything else follows from it.
  static let duration = Duration.seconds(Testbed.environment["CHAOS_SECONDS"].flatMap { Int64($0) } ?? 90)

  /// Where all decisions come from.
  static let seed = Testbed.environment["CHAOS_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1..<1_000_000_000)

  /// Gives `body` a timeline, which is told with the seed when something is wrong.
  static func run(
    _ world: World, _ body: (Timeline) async throws -> ChaosReport
  ) async throws {
    let path = world.directory.appending("timeline.log").string
    let timeline = Timeline(path: path)
    print("chaos: seed \(seed), timeline in \(path)")
    func tell(_ error: (any Error)?) {
      let reason = error.map { "\($0)" } ?? "see the issues of the test"
      print("── CHAOS_SEED=\(seed): \(reason)\n\(timeline.text(last: 200))── the whole of it: \(path)")
    }
    do {
      var report = try await body(timeline)
      report.seconds = Int(timeline.now.components.seconds)
      print(report.text(timeline))
      #expect(report.violations.isEmpty)
      world.history.gaps.forEach { timeline.note("the test's own history has a gap", $0) }
      if world.hasFailed { tell(nil) }
    } catch {
      tell(error)
      throw error
    }
  }

  /// Does it again until it works: servers are away for a while in these tests, for their own clients as well.
  @discardableResult
  static func persistently<Result>(
    _ what: String,
    within bound: Duration = .seconds(240),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Result
  ) async throws -> Result {
    let deadline = ContinuousClock.now + bound
    while true {
      do { return try await body() } catch {
        guard ContinuousClock.now < deadline else {
          throw NeverHappened(description: "never within \(bound): \(what) (line \(sourceLocation.line)): \(error)")
        }
        try await Task.sleep(for: .milliseconds(300))
      }
    }
  }

  /// Returns once `condition` holds, however often it cannot be asked for.
  static func eventually(
    _ what: String,
    within bound: Duration = .seconds(600),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
  ) async throws {
    try await until(what, within: bound, sourceLocation: sourceLocation) { (try? await condition()) ?? false }
  }
}

/// What a chaos test says in the end.
struct ChaosReport: Sendable {
  var title: String
  /// What was counted, in order.
  var figures: [(name: String, value: Int)] = []
  /// Everything that is not as it has to be.
  var violations: [String] = []
  var seconds = 0

  func text(_ timeline: Timeline) -> String {
    let counts = timeline.counts
    let faults = Fault.allCases.compactMap { fault in counts[fault].map { "\(fault.rawValue) \($0)" } }
    var lines = ["── chaos: \(title), \(seconds) s, seed \(Chaos.seed)"]
    if timeline.requests > 0 {
      lines.append("   requests \(timeline.requests), faults \(counts.values.reduce(0, +))")
      if !faults.isEmpty { lines.append("   " + faults.joined(separator: ", ")) }
    }
    lines.append("   " + figures.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
    lines.append("   violations \(violations.count)")
    lines += violations.map { "   ✘ \($0)" }
    return lines.joined(separator: "\n")
  }
}

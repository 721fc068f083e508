// A scenario: what people do, what pods do, and how the operator is set up. `Scenario.all` has every one.

import BucketSyncCore
import KubernetesModel

/// A story that worlds tell.
struct Scenario: Sendable {
  let name: String
  /// One line for people.
  let summary: String
  var replicas = 1
  var settings = CoreSettings()
  /// How long it takes until no more input comes.
  var duration: Duration = .seconds(180)
  /// Whether faults strike requests about the lease, too.
  var strikesLeases = false
  /// Whether people break what the controller cannot hold together: a Job or a pod force-deleted, a Job replaced.
  var isTampered = false
  /// Plugins besides the locks and the Job, made anew for each process.
  var plugins: @Sendable () -> [any Plugin] = { [] }
  /// Puts what happens onto the agenda.
  let script: @Sendable (User) -> Void

  init(
    _ name: String, _ summary: String, duration: Duration = .seconds(180), script: @escaping @Sendable (User) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.duration = duration
    self.script = script
  }

  /// A scenario that differs from this one.
  func with(_ change: (inout Scenario) -> Void) -> Scenario {
    var other = self
    change(&other)
    return other
  }
}

extension Scenario {
  static let all: [Scenario] = single + competing + scheduled + troubled + elected

  /// The scenario of that name; `random-12` is made up by the seed 12.
  static func named(_ name: String) -> Scenario? {
    if let seed = name.hasPrefix("random-") ? UInt64(name.dropFirst(7)) : nil { return random(seed) }
    return all.first { $0.name == name }
  }
}

// Two operators, of which one leads.

import BucketSyncAPI
import KubernetesModel

extension Scenario {
  static let elected: [Scenario] = [
    Scenario(
      "leader-killed", "the leader is killed while runs work",
      script: overlapping { user in user.at(15) { user.kill("operator-0") } }
    )
    .with { $0.replicas = 2 },
    Scenario(
      "leader-restarted", "both operators are restarted in good order",
      script: overlapping { user in user.at(15) { user.restartOperators() } }
    )
    .with { $0.replicas = 2 },
    Scenario(
      "election", "two operators, and faults that strike the lease", duration: .seconds(75),
      script: overlapping { _ in }
    )
    .with {
      $0.replicas = 2
      $0.strikesLeases = true
    },
  ]

  /// A policy, and runs by hand on its buckets.
  private static func overlapping(_ more: @escaping @Sendable (User) -> Void) -> @Sendable (User) -> Void {
    { user in
      user.at(1) { user.policy("p", from: "a", to: "b", schedule: "* * * * *") }
      user.at(3) { user.run("once", from: "b", to: "c") }
      user.at(8) { user.trigger("p", "now") }
      more(user)
    }
  }
}

// Policies: ticks, triggers, edits, history, downtime.

import BucketSyncAPI
import KubernetesModel

extension Scenario {
  static let scheduled: [Scenario] = [
    Scenario("scheduled", "a policy that ticks every minute") { user in
      user.at(1) { user.policy("p", schedule: "* * * * *") }
    },
    Scenario("two-policies", "two policies on one bucket tick at once") { user in
      user.at(1) {
        user.policy("p", from: "a", to: "b", schedule: "* * * * *")
        user.policy("q", from: "b", to: "c", schedule: "* * * * *")
      }
    },
    Scenario("slow-runs", "runs take longer than the schedule's pauses", duration: .seconds(400)) { user in
      user.cluster.behaviours["p"] = PodBehaviour(duration: .seconds(100))
      user.at(1) { user.policy("p", schedule: "* * * * *") }
    },
    Scenario("trigger", "sync-now") { user in
      user.at(1) { user.policy("p") }
      user.at(5) { user.trigger("p", "") }
    },
    Scenario("trigger-thrice", "sync-now again while the run works, and once it has finished") { user in
      user.at(1) { user.policy("p") }
      user.at(5) { user.trigger("p", "one") }
      user.at(12) { user.trigger("p", "two") }
      user.at(70) { user.trigger("p", "three") }
    },
    Scenario("trigger-at-tick", "sync-now right before a tick") { user in
      user.at(1) { user.policy("p", schedule: "* * * * *") }
      user.at(9.99) { user.trigger("p", "now") }
    },
    Scenario("trigger-twice-at-once", "sync-now again, before or right after the first is answered") { user in
      user.cluster.behaviours["p3"] = PodBehaviour(startDelay: .milliseconds(20), duration: .milliseconds(50))
      for (number, gap) in [0.005, 0.02, 0.08, 0.7].enumerated() {
        let policy = "p\(number)"
        user.at(1) { user.policy(policy, from: "a\(number)", to: "b\(number)") }
        user.at(5.1) { user.trigger(policy, "one") }
        user.at(5.1 + gap) { user.trigger(policy, "two") }
      }
    },
    Scenario("triggered-run-deleted", "the run of a trigger is deleted before it has finished") { user in
      user.at(1) { user.policy("p") }
      user.at(5) { user.trigger("p", "go") }
      for second in [5.15, 9] { user.at(second) { for run in user.runs(of: "p") { user.delete(run: run) } } }
    },
    Scenario("success-then-failures", "the run that succeeded is in the history no more") { user in
      user.at(1) { user.policy("p", schedule: "* * * * *", limit: 1) }
      user.at(60) { user.cluster.behaviours["p"] = .failing }
    },
    Scenario("history", "old runs go, those of others stay", duration: .seconds(420)) { user in
      user.cluster.behaviours["p"] = PodBehaviour(duration: .seconds(5))
      user.cluster.behaviours["slow"] = PodBehaviour(duration: .seconds(45))
      user.at(1) {
        user.policy("p", schedule: "* * * * *", limit: 2)
        user.policy("p2", from: "c", to: "d", schedule: "*/2 * * * *")
        user.policy("slow", from: "e", to: "f", schedule: "* * * * *", limit: 1)
        user.run("p-by-hand", from: "g", to: "h")
      }
      for second in [80.0, 200] { user.at(second) { user.trigger("slow", "at \(second)") } }
    },
    Scenario("policy-edited", "schedule and buckets are changed while a run works") { user in
      user.at(1) { user.policy("p", schedule: "* * * * *") }
      user.at(15) {
        user.edit("p") {
          $0["spec"]["schedule"] = "*/2 * * * *"
          $0["spec"]["destination"] = "c"
        }
      }
    },
    Scenario("policy-broken", "a wrong schedule is repaired", duration: .seconds(240)) { user in
      user.at(1) { user.policy("p", schedule: "every day") }
      user.at(50) { user.edit("p") { $0["spec"]["schedule"] = "* * * * *" } }
    },
    Scenario("policy-suspended", "a policy is suspended and resumed", duration: .seconds(400)) { user in
      user.at(1) { user.policy("p", schedule: "* * * * *") }
      user.at(75) { user.edit("p") { $0["spec"]["suspend"] = true } }
      user.at(250) { user.edit("p") { $0["spec"]["suspend"] = false } }
    },
    Scenario("policy-deleted", "a policy is deleted while its run works, and made again") { user in
      user.cluster.behaviours["p"] = PodBehaviour(duration: .seconds(30), stopDelay: .seconds(4))
      user.at(1) { user.policy("p", schedule: "* * * * *") }
      user.at(20) { user.delete(policy: "p") }
      user.at(40) { user.policy("p", from: "b", to: "c", schedule: "* * * * *") }
    },
    Scenario("trigger-then-deleted", "a policy is deleted right after sync-now") { user in
      user.at(1) { user.policy("p") }
      user.at(5) { user.trigger("p", "go") }
      user.at(5.02) { user.delete(policy: "p") }
    },
    Scenario("name-taken", "a run of somebody else has the name of the tick's") { user in
      user.at(0.5) { user.run("p-1705284000", from: "y", to: "z") }
      user.at(1) {
        user.policy("p", schedule: "0 2 * * *")
        user.expectsNoRuns(of: "p")
      }
    },
    Scenario("downtime", "the operator is down for seven minutes while ticks go by", duration: .seconds(600)) { user in
      user.at(1) { user.policy("p", schedule: "* * * * *") }
      user.at(30) { user.stopOperators(for: .seconds(420)) }
    },
    Scenario("downtime-at-tick", "the operator is down at the only tick", duration: .seconds(300)) { user in
      user.at(1) { user.policy("p", schedule: "0 2 * * *") }
      user.at(5) { user.stopOperators(for: .seconds(90)) }
    },
    Scenario("rolling-restart", "the operator is restarted in good order while runs work") { user in
      user.at(1) {
        user.policy("p", schedule: "* * * * *")
        user.policy("q", from: "b", to: "c", schedule: "* * * * *")
      }
      user.at(14) { user.restartOperators() }
      user.at(75) { user.restartOperators() }
    },
    Scenario("controllers-down", "the controller manager is down for a minute while ticks go by") { user in
      user.at(1) { user.policy("p", schedule: "* * * * *") }
      user.at(9) { user.cluster.isDown = true }
      user.at(80) { user.cluster.isDown = false }
    },
  ]
}

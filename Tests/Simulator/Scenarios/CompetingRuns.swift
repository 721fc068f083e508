// Runs that want the same buckets.

import BucketSyncAPI
import KubernetesModel

extension Scenario {
  static let competing: [Scenario] = [
    Scenario("two-compete", "two runs want the same destination") { user in
      user.at(1) { user.run("first", from: "a", to: "b") }
      user.at(1.01) { user.run("second", from: "c", to: "b") }
    },
    Scenario("nested-paths", "two runs use different paths of one bucket") { user in
      user.at(1) {
        user.run("one", from: "data/a", to: "backup/a")
        user.run("two", from: "data/b", to: "other")
      }
    },
    Scenario("cycle", "X to Y, Y to Z, Z to X") { user in
      user.at(1) {
        user.run("xy", from: "x", to: "y")
        user.run("yz", from: "y", to: "z")
        user.run("zx", from: "z", to: "x")
      }
    },
    Scenario("twenty-compete", "twenty runs on five overlapping buckets", duration: .seconds(900)) { user in
      user.cluster.behaviours["run"] = PodBehaviour(duration: .seconds(8))
      for number in 0..<20 {
        user.at(1 + Double(number % 4)) {
          user.run(
            "run-\(number)", from: "bucket-\(number % 5)",
            to: "bucket-\((number * 3 + 1) % 5 == number % 5 ? (number + 2) % 5 : (number * 3 + 1) % 5)")
        }
      }
    },
    Scenario("foreign-lock", "a ConfigMap of somebody else has a lock's name", duration: .seconds(240)) { user in
      user.createForeign(ConfigMap.resource, LockNames.of("b"), ["data": ["mine": "yes"]], namespace: World.namespace)
      user.at(1) { user.run("once") }
      user.at(60) { user.deleteForeign(ConfigMap.resource, LockNames.of("b"), namespace: World.namespace) }
    },
    Scenario("orphaned-lock", "a lock whose run never existed", duration: .seconds(600)) { user in
      user.createForeign(
        ConfigMap.resource, LockNames.of("b"),
        [
          "metadata": [
            "labels": [
              "app.kubernetes.io/managed-by": "bucket-sync", "\(BucketSyncNames.group)/lock": "true",
            ]
          ],
          "data": [
            "bucket": "b", "side": "source", "holderNamespace": "default", "holderName": "gone", "holderUID": "nobody",
            "acquiredAt": "2024-01-01T00:00:00Z",
          ],
        ], namespace: World.namespace)
      user.at(1) { user.run("once") }
    },
    Scenario("locks-wiped", "somebody deletes all locks while a run works, and another one waits") { user in
      user.cluster.behaviours["first"] = PodBehaviour(duration: .seconds(60))
      user.at(1) { user.run("first", from: "a", to: "b") }
      user.at(2) { user.run("second", from: "b", to: "c") }
      user.at(12) { user.wipeLocks() }
    },
    Scenario(
      "finalizer-removed", "somebody takes the finalizer off a run that works, and deletes it", duration: .seconds(700)
    ) {
      user in
      user.cluster.behaviours["first"] = PodBehaviour(duration: .seconds(40), stopDelay: .seconds(5))
      user.at(1) { user.run("first", from: "a", to: "b") }
      user.at(2) { user.run("second", from: "b", to: "c") }
      user.remove(run: "first", at: 8)
    }.with { $0.isTampered = true },
    Scenario(
      "node-lost-run-removed", "a run is removed by force while nobody can reach its pod, which goes on",
      duration: .seconds(1500)
    ) { user in
      user.cluster.behaviours["first"] = PodBehaviour(
        duration: .seconds(1000), accident: .nodeLost(after: .seconds(5), for: .seconds(900)))
      user.at(1) { user.run("first", from: "a", to: "b") }
      user.at(2) { user.run("second", from: "b", to: "c") }
      user.remove(run: "first", at: 12)
    }.with { $0.isTampered = true },
    Scenario(
      "namesake", "a run is removed by force while its pod works, and made again under its name",
      duration: .seconds(700)
    ) { user in
      user.cluster.behaviours["first"] = PodBehaviour(duration: .seconds(40), stopDelay: .seconds(20))
      user.at(1) { user.run("first", from: "a", to: "b") }
      user.remove(run: "first", at: 8)
      user.at(8.5) { user.run("first", from: "a", to: "b") }
    }.with { $0.isTampered = true },
    Scenario(
      "namesake-of-a-kept-job",
      "a run is removed by force, somebody keeps its Job, and it is made again under its name",
      duration: .seconds(700)
    ) { user in
      user.cluster.behaviours["first"] = PodBehaviour(duration: .seconds(5))
      user.at(1) { user.run("first", from: "a", to: "b") }
      user.when("first", is: .sync) {
        user.at(3) { user.setFinalizers(ofJob: "first", ["example.com/keep"]) }
        user.at(400) { user.setFinalizers(ofJob: "first", []) }
      }
      user.remove(run: "first", at: 6)
      user.at(8.5) { user.run("first", from: "a", to: "b") }
      // Or nobody would get to the Job's name before it is free: the lock stays for as long as the Job does.
      user.at(20) { user.wipeLocks() }
    }.with { $0.isTampered = true },
  ]
}

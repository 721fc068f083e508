// One run at a time, and everything that can become of it.

import BucketSyncAPI
import BucketSyncCore
import KubernetesModel

extension Scenario {
  static let single: [Scenario] = [
    Scenario("by-hand", "a run made by hand succeeds") { user in user.at(1) { user.run("once") } },
    Scenario("failing-job", "rclone fails") { user in
      user.cluster.behaviours["once"] = .failing
      user.at(1) { user.run("once") }
    },
    Scenario("timeout", "the Job's time is over while rclone works") { user in
      user.cluster.behaviours["once"] = .endless
      user.at(1) { user.run("once", timeout: "30s") }
    },
    Scenario("deadline-lost", "the Job controller forgets the Job's deadline") { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: nil, accident: .deadlineLost)
      user.at(1) {
        user.run("once", timeout: "30s")
        user.run("next", from: "b", to: "c")
      }
    },
    Scenario("stubborn-pod", "the time is over, and the pod takes its grace period to end") { user in
      user.cluster.behaviours["once"] = .stubborn
      user.at(1) {
        user.run("once", timeout: "20s")
        user.run("next", from: "b", to: "c")
      }
    },
    Scenario("never-starts", "the image cannot be pulled") { user in
      user.cluster.behaviours["once"] = PodBehaviour(neverStarts: "ErrImagePull")
      user.at(1) { user.run("once") }
    }.with { $0.settings.jobStartTimeout = .seconds(60) },
    Scenario("invalid", "a run whose source is nested in its destination") { user in
      user.at(1) { user.run("once", from: "a/b", to: "a") }
    },
    cancelled("initialize", when: nil),
    cancelled("waiting", when: .initialize),
    cancelled("sync", when: .sync),
    cancelled("finalize", when: .finalize),
    cancelled("finished", when: .finished),
    Scenario("cancel-soon", "a run is deleted a moment after its Job was made") { user in
      user.cluster.behaviours["once"] = PodBehaviour(startDelay: .milliseconds(600), duration: .seconds(40))
      user.at(1) { user.run("once") }
      user.at(1.25) { user.delete(run: "once") }
      user.at(2) { user.run("next", from: "b", to: "c") }
    },
    Scenario("evicted", "the kubelet evicts the pod") { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: nil, accident: .evicted(after: .seconds(5)))
      user.at(1) {
        user.run("once")
        user.run("next", from: "b", to: "c")
      }
    },
    Scenario("rejected", "the kubelet does not take the pod") { user in
      user.cluster.behaviours["once"] = PodBehaviour(accident: .rejected)
      user.at(1) { user.run("once") }
    },
    Scenario("node-lost", "the pod's node is out of reach for ten minutes", duration: .seconds(900)) { user in
      user.cluster.behaviours["once"] = PodBehaviour(
        duration: .seconds(400), accident: .nodeLost(after: .seconds(5), for: .seconds(600)))
      user.at(1) {
        user.run("once")
        user.run("next", from: "b", to: "c")
      }
    },
    Scenario("node-died", "the pod's node dies", duration: .seconds(900)) { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: nil, accident: .nodeDied(after: .seconds(5)))
      user.at(1) {
        user.run("once", timeout: "8m")
        user.run("next", from: "b", to: "c")
      }
    },
    Scenario("pod-deleted", "somebody deletes the pod while rclone works") { user in
      user.cluster.behaviours["once"] = PodBehaviour(
        duration: .seconds(30), stopDelay: .seconds(9), accident: .deleted(after: .seconds(5)))
      user.at(1) { user.run("once") }
    },
    Scenario("pods-doubled", "the Job controller makes two pods") { user in
      user.cluster.behaviours["once"] = PodBehaviour(accident: .doubled)
      user.at(1) { user.run("once") }
    },
    Scenario("pod-forgotten", "the Job has failed, and its pod goes on") { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: nil, accident: .forgottenByJobController)
      user.at(1) {
        user.run("once")
        user.run("next", from: "b", to: "c")
      }
    },
    Scenario("job-deleted", "somebody deletes the Job while rclone works") { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: .seconds(60), stopDelay: .seconds(9))
      user.at(1) {
        user.run("once")
        user.run("next", from: "b", to: "c")
      }
      user.when("once", is: .sync) { user.at(3) { user.delete(job: "once") } }
    }.with { $0.isTampered = true },
    Scenario("job-deleted-soon", "somebody deletes a Job that was just made; its pod takes its time") {
      user in
      user.cluster.behaviours["once"] = PodBehaviour(
        startDelay: .milliseconds(50), duration: .seconds(60), stopDelay: .seconds(9))
      user.at(1) {
        user.run("once")
        user.run("next", from: "b", to: "c")
      }
      user.at(1.3) { user.delete(job: "once") }
    }.with { $0.isTampered = true },
    Scenario("foreign-finalizer", "somebody else wants to know when a run goes, too") { user in
      user.at(1) { user.run("once") }
      user.when("once", is: .sync) {
        user.editRun("once") {
          let own = $0["metadata"]["finalizers"].array ?? []
          $0["metadata"]["finalizers"] = .array(own + ["example.com/keep"])
        }
        user.delete(run: "once")
        user.at(60) {
          user.editRun("once") { run in
            let others = (run["metadata"]["finalizers"].array ?? []).filter { $0 != "example.com/keep" }
            run["metadata"]["finalizers"] = .array(others)
          }
        }
      }
    },
    Scenario("foreign-job", "the Job's name belongs to somebody else") { user in
      user.createForeign(
        Job.resource, "once",
        [
          "spec": [
            "template": ["spec": ["containers": [["name": "other", "image": "other"]], "restartPolicy": "Never"]]
          ]
        ])
      user.at(1) { user.run("once") }
    },
    Scenario("same-name-again", "a run is deleted while it works, and made again under its name") { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: .seconds(15), stopDelay: .seconds(5))
      user.at(1) { user.run("once") }
      user.when("once", is: .sync) {
        user.at(4) { user.delete(run: "once") }
        for second in stride(from: 5.0, to: 30, by: 2) { user.at(second) { user.run("once") } }
      }
    },
  ]

  /// A run that is deleted once it has come to a phase; another one wants its bucket.
  private static func cancelled(_ name: String, when phase: BucketSync.Phase?) -> Scenario {
    Scenario("cancel-\(name)", "a run is deleted in phase \(phase?.rawValue ?? "none")") { user in
      user.cluster.behaviours["once"] = PodBehaviour(duration: .seconds(40), stopDelay: .seconds(6))
      user.at(0.5) { if phase == .initialize { user.run("before", from: "x", to: "a") } }
      user.at(1) { user.run("once") }
      user.at(2) { user.run("next", from: "b", to: "c") }
      if let phase {
        user.when("once", is: phase) { user.delete(run: "once") }
      } else {
        user.at(1.001) { user.delete(run: "once") }
      }
    }
  }
}

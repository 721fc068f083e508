// Jobs from their creation to their end, with real processes.

import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesModel
import StandaloneJobs
import TestSupport
import Testing

@Suite("Jobs on this machine", .aFewAtATime, .timeLimit(.minutes(5)))
struct LifeOfAJobTests {
  let world: LocalWorld

  init() throws { world = try LocalWorld() }

  @Test("a Job whose program ends well is complete, and its pod has succeeded")
  func success() async throws {
    try await world.start().run {
      try world.run("echo done")
      try await world.untilEnded()
      let job = try #require(world.job())
      #expect(job.trueCondition("Complete")?.message == "Reached expected number of succeeded pods")
      #expect(job.status?.succeeded == 1 && job.status?.active == nil && job.status?.failed == nil)
      #expect(job.status?.startTime != nil && job.status?.completionTime != nil)
      let pod = try #require(world.pod())
      #expect(pod.status?.phase == "Succeeded")
      #expect(pod.metadata.name.hasPrefix("job-") && pod.metadata.name.count == "job-".count + 5)
      #expect(pod.metadata.labels?["batch.kubernetes.io/controller-uid"] == job.metadata.uid)
      #expect(pod.metadata.labels?["app"] == "test")
      #expect(pod.metadata.controllerOwner?.uid == job.metadata.uid)
      let end = try #require(world.terminated())
      #expect(end.exitCode == 0 && end.reason == "Completed" && end.message == nil)
      #expect(end.startedAt != nil && end.finishedAt != nil)
      try await eventually("finalizer") { world.pod()?.metadata.finalizers?.isEmpty ?? true }
    }
  }

  @Test("a failure has the exit code and the last lines of the log")
  func failure() async throws {
    try await world.start().run {
      try world.run("for i in $(seq 100); do echo line $i; done; echo 'ERROR : it broke' >&2; exit 7")
      try await world.untilEnded()
      let job = try #require(world.job())
      #expect(job.trueCondition("Failed")?.reason == "BackoffLimitExceeded")
      #expect(job.trueCondition("Failed")?.message == "Job has reached the specified backoff limit")
      #expect(job.status?.failed == 1)
      let end = try #require(world.terminated())
      #expect(end.exitCode == 7 && end.reason == "Error")
      let lines = (end.message ?? "").split(separator: "\n")
      #expect(lines.count == 80 && lines.contains("ERROR : it broke") && lines.contains("line 100"))
    }
  }

  @Test("a signal is told as 128 and its number")
  func signal() async throws {
    try await world.start().run {
      try world.run("kill -KILL $$")
      try await world.untilEnded()
      #expect(world.terminated()?.exitCode == 137)
      #expect(world.terminated()?.reason == "Error")
    }
  }

  @Test("a running Job says so, and the pod is ready")
  func running() async throws {
    try await world.start().run {
      try world.run("sleep 600")
      try await world.untilRunning()
      #expect(world.pod()?.status?.containerStatuses?.first?.state?.running?.startedAt != nil)
      #expect(world.pod()?.status?.conditions?.first { $0.type == "Ready" }?.status == "True")
      try await eventually("active") { world.job()?.status?.active == 1 }
      world.server.delete(Job.self, world.key("job"))
      try await eventually("no pod") { world.pods().isEmpty }
      #expect(world.processes.isEmpty)
    }
  }

  @Test(
    "a program that cannot be started is told as a container runtime tells it",
    arguments: [
      (["no-such-program"], "exec: \"no-such-program\": executable file not found in $PATH (searched: /usr/bin:/bin)"),
      (["/etc/passwd"], "stat /etc/passwd: Permission denied"),
      (["/no/such/file"], "stat /no/such/file: No such file or directory"),
      ([], "container \"main\" has no command"),
    ])
  func startError(command: [String], message: String) async throws {
    try await world.start().run {
      try world.create("job", command: command)
      try await world.untilEnded()
      let end = try #require(world.terminated())
      #expect(end.exitCode == 128 && end.reason == "StartError")
      #expect(end.message?.contains(message) == true, "\(end.message ?? "")")
      #expect(world.pod()?.status?.phase == "Failed")
    }
  }

  @Test("a deleted Job's program gets SIGTERM, its end is told, and then its objects go")
  func deletion() async throws {
    try await world.start().run {
      try world.run(
        "trap 'echo told >> \(world.file("log")); exit 3' TERM; echo $$ > \(world.file("pid")); while :; do sleep 0.1; done"
      )
      let pid = try await world.pid("pid")
      try await world.untilRunning()
      world.server.delete(Job.self, world.key("job"), DeleteOptions(propagation: .foreground))
      try await eventually("no pod") { world.pods().isEmpty }
      try await eventually("no job") { world.job() == nil }
      #expect(world.text("log") == "told\n")
      #expect(!LocalWorld.runs(pid))
    }
  }

  @Test("a program that does not listen to SIGTERM is killed after its grace period, with all that it has started")
  func stubborn() async throws {
    try await world.start().run {
      try world.run(
        """
        trap '' TERM
        setsid sh -c 'trap "" TERM; echo $$ > \(world.file("grandchild")); while :; do sleep 0.1; done' &
        echo $$ > \(world.file("pid"))
        while :; do sleep 0.1; done
        """, pod: ["terminationGracePeriodSeconds": 1])
      let pids = [try await world.pid("pid"), try await world.pid("grandchild")]
      try await world.untilRunning()
      world.server.delete(Job.self, world.key("job"))
      try await eventually("no pod") { world.pods().isEmpty }
      #expect(pids.allSatisfy { !LocalWorld.runs($0) })
    }
  }

  @Test("what a program leaves behind does not outlive it")
  func leftovers() async throws {
    try await world.start().run {
      try world.run("setsid sleep 600 & echo $! > \(world.file("pid")); exit 0")
      try await world.untilEnded()
      #expect(!LocalWorld.runs(try await world.pid("pid")))
      #expect(world.job()?.trueCondition("Complete") != nil)
    }
  }

  @Test("a Job is stopped at its time limit")
  func deadline() async throws {
    try await world.start().run {
      try world.run("exec sleep 600", spec: ["activeDeadlineSeconds": 2])
      try await world.untilEnded()
      let failure = try #require(world.job()?.trueCondition("Failed"))
      #expect(failure.reason == "DeadlineExceeded")
      #expect(failure.message == "Job was active longer than specified deadline")
      #expect(world.processes.isEmpty)
    }
  }

  @Test("a pod is stopped at its own time limit, in the kubelet's words")
  func podDeadline() async throws {
    try await world.start().run {
      try world.run("exec sleep 600", pod: ["activeDeadlineSeconds": 1])
      try await world.untilEnded()
      #expect(world.pod()?.status?.reason == "DeadlineExceeded")
      #expect(world.pod()?.status?.message == "Pod was active on the node longer than the specified deadline")
      #expect(world.terminated()?.exitCode == 143)
      #expect(world.job()?.trueCondition("Failed")?.reason == "BackoffLimitExceeded")
    }
  }

  @Test("a pod deleted by force counts as failed, and is followed by another only when its program has stopped")
  func forced() async throws {
    try await world.start().run {
      try world.run(
        "echo begin >> \(world.file("log")); trap 'sleep 0.3; echo end >> \(world.file("log")); exit 1' TERM; echo $$ > \(world.file("pid")); while :; do sleep 0.1; done",
        spec: ["backoffLimit": 1])
      _ = try await world.pid("pid")
      try await world.untilRunning()
      let first = try #require(world.pod())
      world.server.delete(Pod.self, first.key, DeleteOptions(gracePeriodSeconds: 0))
      try await eventually("counted") { world.job()?.status?.failed == 1 }
      // Whatever begins after it begins after its end.
      try await eventually("stopped") { world.text("log")?.hasPrefix("begin\nend\n") ?? false }
      #expect(world.job()?.hasEnded == false)
    }
  }

  @Test("when all places are taken the next Job waits, and comes up when one has ended, the oldest first")
  func places() async throws {
    try await world.start(places: 1).run {
      try world.run("while [ ! -e \(world.file("go")) ]; do sleep 0.05; done", name: "first")
      try await world.untilRunning("first")
      for name in ["b-second", "a-third"] {
        try world.run("echo \(name) >> \(world.file("log"))", name: name)
        try await eventually { world.pod(of: name)?.status?.conditions?.first?.reason == "Unschedulable" }
        try await Task.sleep(for: .milliseconds(1100))
      }
      let waiting = try #require(world.pod(of: "a-third")?.status)
      #expect(waiting.phase == "Pending")
      let condition = try #require(waiting.conditions?.first { $0.type == "PodScheduled" })
      #expect(
        condition.status == "False"
          && condition.message == "the only place is taken: pod \(world.pod(of: "first")?.metadata.name ?? "") runs")
      try world.folder.write("go", "")
      try await world.untilEnded("b-second")
      try await world.untilEnded("a-third")
      #expect(world.text("log") == "b-second\na-third\n")
    }
  }

  @Test("a suspended Job has no process, and starts when it is resumed, from the beginning")
  func suspension() async throws {
    try await world.start().run {
      try world.run("echo x >> \(world.file("log")); echo $$ > \(world.file("pid")); exec sleep 600")
      let pid = try await world.pid("pid")
      try await world.untilRunning()
      world.server.change(Job.self, world.key("job")) { $0["spec"]["suspend"] = true }
      try await eventually("stopped") { world.pods().isEmpty && !LocalWorld.runs(pid) }
      try await eventually("told") { world.job()?.trueCondition("Suspended")?.reason == "JobSuspended" }
      world.server.change(Job.self, world.key("job")) { $0["spec"]["suspend"] = false }
      try await eventually("again") { world.text("log") == "x\nx\n" }
      #expect(world.job()?.status?.failed == nil)
    }
  }

  @Test("a finished Job goes after its time")
  func timeToLive() async throws {
    try await world.start().run {
      try world.run("true", spec: ["ttlSecondsAfterFinished": 1])
      try await eventually("no job") { world.job() == nil && !world.server.objects.isEmpty }
      try await eventually("no pod") { world.pods().isEmpty }
    }
  }

  @Test("fields without a meaning here are named in one Event; an ordinary Job's are not")
  func ignoredFields() async throws {
    try await world.start().run {
      try world.run(
        "true", name: "odd", pod: ["nodeSelector": ["disk": "ssd"], "dnsPolicy": "ClusterFirst"],
        container: ["resources": ["limits": ["memory": "1Gi"]]])
      try world.run("true", name: "plain")
      try await world.untilEnded("odd")
      try await world.untilEnded("plain")
    }
    let events = world.server.all(Event.self).filter { $0.reason == "FieldsIgnored" }
    #expect(events.map { $0.regarding?.name } == ["odd"])
    #expect(
      events.first?.note
        == """
        These fields have no meaning without a cluster and are ignored: spec.template.spec.nodeSelector, \
        spec.template.spec.containers[main].resources
        """)
  }
}

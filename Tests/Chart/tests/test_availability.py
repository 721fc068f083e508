"""Of two controllers one works. It is killed, frozen, cut off or replaced: the other goes on, and nothing is done twice."""

import os
import signal
import subprocess
import time
import unittest

from lib import account, buckets, cluster, image, release
from lib.pods_seen import PodsSeen


def succeeded(work, names):
    """Whether all these runs have; one that ended otherwise is told of at once."""
    ended = {run["metadata"]["name"]: run["status"] for run in work.finished() or []}
    for name in names:
        if name in ended and ended[name].get("result") != "Succeeded":
            raise AssertionError(f"{name}: {ended[name]}")
    return all(name in ended for name in names)


def runs_of_pods(seen):
    """The run of each pod there ever was: pods are called after their Job, and that after its run."""
    return sorted(line.split()[0].rsplit("-", 1)[0] for line in seen)


@image.needed
class TwoControllers(unittest.TestCase):
    """Two processes with accounts of their own, and a sync in mid-air."""

    def setUp(self):
        cluster.have_resource_types()
        self.namespace = self.enterContext(cluster.namespace("two"))
        self.work = buckets.Work(self.namespace)
        self.endpoint = buckets.Endpoint.holdable()
        self.addCleanup(self.endpoint.end)
        self.held = self.pair("held", source=self.endpoint)
        self.pods = self.enterContext(PodsSeen(self.namespace))
        self.first = self.operator("first")
        cluster.until("the first one leads", lambda: release.leader(self.namespace) == "first")
        self.second = self.operator("second")

    def operator(self, name):
        operator = account.Operator(self.namespace, None, name=name)
        self.addCleanup(operator.stop)
        operator.start()
        return operator

    def pair(self, name, **ends):
        pair = buckets.Pair(self.namespace, name, **ends)
        pair.write("folder/object", f"content of {name}")
        self.addCleanup(pair.delete)
        return pair

    def take_off(self):
        """Has rclone at work, one run waiting for it, and a policy that will be triggered."""
        self.endpoint.hold()
        self.work.make_policy("photos", self.pair("photos"))
        cluster.until("the policy is seen", lambda: self.work.policy("photos").get("status"))
        self.work.make_run("flying", self.held)
        cluster.until(
            "rclone is at work", lambda: buckets.condition(self.work.run("flying"), "JobRunning").get("status") == "True")
        self.work.make_run("waiting", self.held)
        cluster.until("another run waits", lambda: buckets.condition(self.work.run("waiting"), "LocksAcquired"))

    def take_over(self, happened):
        """Waits for the second one to lead, and triggers the policy meanwhile."""
        self.work.sync_now("photos")
        cluster.until("the second one leads", lambda: release.leader(self.namespace) == "second", within=60)
        print(f"\n{self.id().split('.')[-1]}: the other led after {time.monotonic() - happened:.1f} s", flush=True)

    def land(self):
        """Lets rclone go on, and sees everything done, once."""
        self.endpoint.release()
        cluster.until("all runs succeed", lambda: succeeded(self.work, ("flying", "waiting")))
        manual = cluster.until(
            "the trigger is answered", lambda: [r for r in self.work.runs() if r["metadata"]["name"].startswith("photos-")])
        self.assertEqual(len(manual), 1)
        name = manual[0]["metadata"]["name"]
        cluster.until("the triggered run succeeds", lambda: succeeded(self.work, [name]))
        source, destination = self.held.objects()
        self.assertEqual(source, destination)
        self.assertEqual(runs_of_pods(self.pods.seen), sorted(["flying", "waiting", name]))

    def test_killed(self):
        self.take_off()
        self.first.process.kill()
        self.take_over(time.monotonic())
        self.land()

    def test_cut_off_by_its_rights(self):
        self.take_off()
        self.first.revoke()
        self.take_over(time.monotonic())
        self.assertNotEqual(self.first.process.wait(60), 0, "it stops when it has lost the lease")
        self.land()

    def test_frozen_and_awake_again(self):
        self.take_off()
        self.first.process.send_signal(signal.SIGSTOP)
        self.take_over(time.monotonic())
        self.first.process.send_signal(signal.SIGCONT)
        self.assertNotEqual(self.first.process.wait(60), 0, "it stops when it has lost the lease")
        self.land()

    def test_a_token_that_is_worth_nothing_any_more_is_replaced_without_a_restart(self):
        self.second.stop()
        self.take_off()
        self.first.renew_account()
        self.first.write_token()
        self.work.sync_now("photos")
        self.land()
        self.assertIsNone(self.first.process.poll())
        self.assertEqual(release.leader(self.namespace), "first")


@image.needed
class TwoPods(unittest.TestCase):
    """The chart with two replicas."""

    def setUp(self):
        cluster.have_resource_types()
        self.operators = self.enterContext(cluster.namespace("pods"))
        self.tenant = self.enterContext(cluster.namespace("tenant"))
        self.work = buckets.Work(self.tenant)
        values = image.imported()
        values = {**values, "deployment": {**values["deployment"], "replicas": 2}}
        self.release = release.Release(self.operators, {
            "namespace": "", "watchNamespaces": [self.tenant], "fullnameOverride": self.operators,
            "rbac": {"aggregate": False}, **values,
        })
        self.release.helm("install", "--wait")
        self.addCleanup(self.release.uninstall)
        cluster.until("one of them leads", self.release.leader)

    def pair(self, name):
        pair = buckets.Pair(self.tenant, name)
        pair.write("folder/object", f"content of {name}")
        self.addCleanup(pair.delete)
        return pair

    def test_a_rolling_restart_under_load_loses_and_doubles_nothing(self):
        pairs = [self.pair(f"pair-{number}") for number in range(3)]
        names = []
        with PodsSeen(self.tenant) as pods:
            before = {pod["metadata"]["name"] for pod in self.release.pods()}
            for number in range(9):
                names.append(f"run-{number}")
                self.work.make_run(names[-1], pairs[number % 3])
                if number == 2:
                    cluster.kubectl("rollout", "restart", f"deployment/{self.operators}", "--namespace", self.operators)
            cluster.kubectl("rollout", "status", f"deployment/{self.operators}", "--namespace", self.operators, "--timeout=180s")
            cluster.until("all runs succeed", lambda: succeeded(self.work, names), within=240)
            after = {pod["metadata"]["name"] for pod in self.release.pods()}
        self.assertEqual(before & after, set())
        self.assertEqual(runs_of_pods(pods.seen), sorted(names))
        for pair in pairs:
            source, destination = pair.objects()
            self.assertEqual(source, destination)

    def test_the_leader_dies_with_its_node(self):
        name = self.release.leader()
        pod = next(pod for pod in self.release.pods() if pod["metadata"]["name"] == name)
        kubelet = int(os.environ["KUBELET_PID"])
        with PodsSeen(self.tenant) as pods:
            # Nobody is left who could start its container again.
            os.kill(kubelet, signal.SIGSTOP)
            try:
                os.kill(main_process(pod), signal.SIGKILL)
                died = time.monotonic()
                self.work.make_run("meanwhile", self.pair("pair"))
                cluster.until("the other one leads", lambda: self.release.leader() not in ("", name), within=60)
                print(f"\nwith its node: the other led after {time.monotonic() - died:.1f} s", flush=True)
                cluster.until("it goes to work", lambda: (self.work.run("meanwhile").get("status") or {}).get("phase") == "Sync")
            finally:
                os.kill(kubelet, signal.SIGCONT)
            cluster.until("the run succeeds", lambda: succeeded(self.work, ["meanwhile"]))
        self.assertEqual(runs_of_pods(pods.seen), ["meanwhile"])


@image.needed
class TwoReleases(unittest.TestCase):
    """Two teams with an operator each, whose buckets are the same."""

    def test_they_share_locks_and_nothing_else(self):
        cluster.have_resource_types()
        locks = self.enterContext(cluster.namespace("locks"))
        endpoint = buckets.Endpoint.holdable()
        self.addCleanup(endpoint.end)
        works, pairs, releases = [], [], []
        for number in range(2):
            tenant = self.enterContext(cluster.namespace(f"team-{number}"))
            works.append(buckets.Work(tenant))
            pairs.append(buckets.Pair(tenant, "held", source=endpoint))
            self.addCleanup(pairs[-1].delete)
            releases.append(release.Release(locks, {
                "namespace": "", "watchNamespaces": [tenant], "fullnameOverride": tenant,
                "rbac": {"aggregate": False}, "crds": {"install": False}, **image.imported(),
            }, name=f"team-{number}"))
            releases[-1].helm("install", "--wait")
            self.addCleanup(releases[-1].uninstall)
        for each in releases:
            cluster.until("each has a leader of its own", each.leader)
        pairs[0].write("object", "content")
        pairs[1].buckets = pairs[0].buckets
        endpoint.hold()
        works[0].make_run("mine", pairs[0])
        cluster.until(
            "rclone is at work", lambda: buckets.condition(works[0].run("mine"), "JobRunning").get("status") == "True")
        works[1].make_run("yours", pairs[1])
        cluster.until(
            "the other team's run waits for it",
            lambda: "/mine" in buckets.condition(works[1].run("yours"), "LocksAcquired").get("message", ""))
        endpoint.release()
        cluster.until("both succeed", lambda: succeeded(works[0], ["mine"]) and succeeded(works[1], ["yours"]))


def main_process(pod):
    """The pid, on this machine, of what a pod's container runs."""
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    command = ["ctr", "--address", f"{os.environ['TESTBED_DIR']}/containerd.sock", "--namespace", "k8s.io", "tasks", "list"]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        if line.startswith(container):
            return int(line.split()[1])
    raise AssertionError(f"no process of {container}")

"""The chart on a real cluster, by Helm's own engine: installed, upgraded, uninstalled, with the controller in a pod."""

import os
import subprocess
import unittest

from lib import buckets, chart, cluster, image
from lib.pods_seen import PodsSeen
from lib.release import Release, next_version, objects_of


@image.needed
class Installed(unittest.TestCase):
    """One release from the first day to the last."""

    def setUp(self):
        stack = self.enterContext(cluster.namespace("operator")), self.enterContext(cluster.namespace("tenant"))
        self.operators, self.tenant = stack
        self.work = buckets.Work(self.tenant)
        cluster.have_resource_types()
        image.imported()

    def release(self, **values):
        """A release that is installed; other tests' runs are none of its business."""
        base = image.imported()
        release = Release(
            self.operators,
            {
                "namespace": "",
                "watchNamespaces": [self.tenant],
                "fullnameOverride": self.operators,
                "rbac": {"aggregate": False},
                **base,
                **values,
            },
        )
        release.helm("install", "--wait")
        return release

    def pair(self, name, **ends):
        pair = buckets.Pair(self.tenant, name, **ends)
        self.addCleanup(pair.delete)
        return pair

    def finish(self, name):
        return cluster.until(
            f"{name} has finished",
            lambda: next((r for r in self.work.finished() or [] if r["metadata"]["name"] == name), None),
        )

    def test_it_syncs_is_upgraded_with_a_run_in_flight_and_leaves_what_is_not_its_own(self):
        release = self.release()
        first_pod = release.pod()
        self.assertEqual(first_pod["spec"]["serviceAccountName"], self.operators)

        # It does its job.
        plain = self.pair("plain")
        for number in range(20):
            plain.write(f"folder {number % 3}/object-{number}", f"content {number}")
        self.work.make_policy("photos", plain)
        cluster.until("the policy is seen", lambda: self.work.policy("photos").get("status"))
        self.work.sync_now("photos")
        run = cluster.until("a run has finished", self.work.finished)[0]
        self.assertEqual(run["status"]["result"], "Succeeded", run["status"])
        source, destination = plain.objects()
        self.assertEqual((len(source), source), (20, destination))

        # It is upgraded while rclone is at work, which notices nothing.
        endpoint = buckets.Endpoint.holdable()
        self.addCleanup(endpoint.end)
        held = self.pair("held", source=endpoint)
        held.write("a.txt", "a")
        endpoint.hold()
        with PodsSeen(self.tenant) as pods:
            self.work.make_run("flying", held)
            flying = cluster.until(
                "rclone is at work",
                lambda: buckets.condition(self.work.run("flying"), "JobRunning").get("status") == "True"
                and self.work.run("flying"),
            )
            release.helm("upgrade", "--wait", source=next_version())
            second_pod = release.pod()
            self.assertNotEqual(first_pod["metadata"]["uid"], second_pod["metadata"]["uid"])
            cluster.until("the new pod leads", lambda: release.leader().startswith(second_pod["metadata"]["name"]))
            self.work.make_run("rival", held)
            cluster.until(
                "a rival waits",
                lambda: buckets.condition(self.work.run("rival"), "LocksAcquired").get("reason") == "WaitingForBucket",
            )
            endpoint.release()
            landed = self.finish("flying")
            self.assertEqual(landed["status"]["result"], "Succeeded", landed["status"])
            self.assertEqual(landed["status"]["jobUID"], flying["status"]["jobUID"])
            self.assertEqual(self.finish("rival")["status"]["result"], "Succeeded")
            source, destination = held.objects()
            self.assertEqual(source, destination)
        # One rclone for each run there was.
        self.assertEqual(
            sorted(line.split()[0].rsplit("-", 1)[0] for line in pods.seen), ["flying", "rival"], pods.seen
        )

        # The resource types have been updated with it.
        crd = cluster.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bucketsyncpolicies.{chart.GROUP}")
        self.assertIn("bspnext", crd["spec"]["names"]["shortNames"])
        release.helm("upgrade", "--wait")

        # It goes, and leaves the resource types with all policies and runs.
        release.uninstall()
        cluster.until("its pods are gone", lambda: not release.pods() and not objects_of(release))
        self.assertIsNotNone(self.work.policy("photos"))
        self.assertEqual(len(self.work.runs()), 3)

        # The lease is the controllers' own.
        def left():
            kinds = "all,configmaps,secrets,roles,rolebindings,leases"
            names = cluster.kubectl("get", kinds, "--namespace", self.operators, "--output", "name").split()
            return [name for name in names if "kube-root-ca.crt" not in name and "/default-token" not in name]

        cluster.until("nothing else is left", lambda: left() == [f"lease.coordination.k8s.io/{self.operators}"])
        bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.tenant}/rolebindings"
        self.assertEqual(cluster.items(bindings), [])

    def test_the_pod_has_no_more_than_it_is_given(self):
        release = self.release()
        pod = release.pod()
        status = pod["status"]["containerStatuses"][0]
        self.assertEqual((status["restartCount"], status["ready"]), (0, True))
        container = pod["spec"]["containers"][0]
        self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
        self.assertEqual(pod["status"]["qosClass"], "Burstable")
        # What it tells is where the Service and the probes look for it.
        url = f"http://{pod['status']['podIP']}:8080/metrics"
        asked = [
            "ip",
            "netns",
            "exec",
            os.environ["NETWORK_NAMESPACE"],
            "curl",
            "--silent",
            "--fail",
            "--max-time",
            "5",
            url,
        ]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        self.assertIn("bucket_sync_policies 0", told)

    def test_changed_scripts_are_used_without_a_restart(self):
        def values(prefix):
            script = f'return {{api = 1, job_name = function(ctx, name) return "{prefix}-" .. name end}}'
            return {"hooks": {"names.lua": script}}

        release = self.release(**values("first"))
        pod = release.pod()
        pair = self.pair("named")
        numbers = iter(range(1000))

        def job():
            run = f"run-{next(numbers)}"
            self.work.make_run(run, pair)
            return self.finish(run)["status"]["job"]

        self.assertTrue(job().startswith("first-run-"))
        release.values |= values("second")
        release.helm("upgrade", "--wait")
        # The kubelet takes its time; no run in between goes without any script.
        jobs = []
        cluster.until("a run uses the changed script", lambda: jobs.append(job()) or jobs[-1].startswith("second-run-"))
        self.assertLessEqual({name.split("-")[0] for name in jobs}, {"first", "second"})
        self.assertEqual(release.pod()["metadata"]["uid"], pod["metadata"]["uid"])
        self.assertEqual(release.restarts(), [])

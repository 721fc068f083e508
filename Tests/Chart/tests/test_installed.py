"""The chart on a real cluster, by Helm's own engine: installed, upgraded, uninstalled, with the controller in a pod."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import yaml

from lib import buckets, chart, cluster, image
from lib.pods_seen import PodsSeen
from lib.release import Release


def next_version():
    """A copy of the chart of the next version, whose pods are not the same."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bucket-sync-chart-")) / "bucket-sync"
    shutil.copytree(chart.CHART, folder)
    path = folder / "Chart.yaml"
    metadata = yaml.safe_load(path.read_text(encoding="utf-8"))
    metadata["version"] += "-next"
    path.write_text(yaml.safe_dump(metadata), encoding="utf-8")
    crd = folder / "files/crds/bucketsyncpolicies.yaml"
    text = crd.read_text(encoding="utf-8")
    crd.write_text(text.replace("shortNames: [bsp]", "shortNames: [bsp, bspnext]"), encoding="utf-8")
    return folder


def objects_of(release):
    """What there is with the labels of a release, in its namespace and beyond."""
    selector = f"app.kubernetes.io/managed-by=Helm,app.kubernetes.io/instance={release.name}"
    namespaced = "deployments,replicasets,pods,services,configmaps,serviceaccounts,roles,rolebindings,poddisruptionbudgets,networkpolicies"
    listed = cluster.kubectl("get", namespaced, "--namespace", release.namespace, "--selector", selector, "--output", "name")
    wide = cluster.kubectl("get", "clusterroles,clusterrolebindings", "--selector", selector, "--output", "name")
    return [name for name in (listed + wide).split() if release.name in name]


@cluster.needed
class Manifests(unittest.TestCase):
    """The API server takes everything that is rendered for it, admission and all."""

    MATRIX = {
        "defaults": {},
        "everything": chart.EVERYTHING | {"serviceMonitor": {"enabled": False}, "prometheusRule": {"enabled": False}},
        "one without election": {"controller": {"leaderElection": False}},
        "some namespaces": {"namespace": "", "watchNamespaces": ["default"]},
        "one's own account and scripts": {
            "serviceAccount": {"create": False}, "rbac": {"create": False}, "existingHooksConfigMap": "mine",
        },
        "all knobs": {
            "commonLabels": {"a": "b"}, "commonAnnotations": {"a/b": "c"},
            "deployment": {
                "imagePullSecrets": [{"name": "x"}], "extraEnv": [{"name": "X", "value": "y"}], "extraArgs": ["--concurrency=2"],
                "extraVolumes": [{"name": "v", "emptyDir": {}}], "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
                "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}], "resources": None,
                "affinity": {"nodeAffinity": {}}, "podLabels": {"c": "d"}, "podAnnotations": {"e": "f"},
            },
            "networkPolicy": {"enabled": True, "metricsFrom": [{"namespaceSelector": {}}], "apiServerTo": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
        },
    }

    def test_the_api_server_takes_them(self):
        with cluster.namespace("manifests") as namespace:
            for name, values in self.MATRIX.items():
                with self.subTest(name):
                    # The resource types are in the cluster, of another release.
                    release = Release(namespace, {**values, "crds": {"install": False}}, f"dry-{namespace}")
                    rendered = release.helm("install", "--dry-run", "server")
                    taken = cluster.kubectl("apply", "--server-side", "--dry-run=server", "--filename", "-", text=rendered)
                    self.assertIn("deployment.apps", taken)

    def test_the_api_server_takes_the_resource_types(self):
        with cluster.namespace("types") as namespace:
            release = Release(namespace, {}, f"types-{namespace}")
            rendered = release.helm("install", "--dry-run", "server")
            types = [o for o in yaml.safe_load_all(rendered) if o and o["kind"] == "CustomResourceDefinition"]
            self.assertEqual(len(types), 2)
            text = yaml.safe_dump_all(types)
            taken = cluster.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=false", "--filename", "-", text=text)
            self.assertEqual(taken.count("serverside-applied"), 2)


@cluster.needed
class Rights(unittest.TestCase):
    """What the bindings come to, asked of the API server's own authorizer. No pod is needed for that."""

    def can(self, user, verb, resource, namespace):
        resource, _, subresource = resource.partition("/")
        flags = ["--as", user, "--subresource", subresource]
        flags += ["--namespace", namespace] if namespace else ["--all-namespaces"]
        done = subprocess.run([cluster.KUBECTL, "auth", "can-i", verb, resource, *flags], capture_output=True, text=True, check=False)
        return done.stdout.strip() == "yes"

    def test_a_release_for_all_namespaces_may_do_its_work_everywhere_and_nothing_else(self):
        with cluster.namespace("wide") as namespace:
            release = Release(namespace, {"namespace": "", "fullnameOverride": f"w-{namespace}", "deployment": {"replicas": 0}})
            release.helm("install")
            self.addCleanup(release.uninstall)
            user = f"system:serviceaccount:{namespace}:w-{namespace}"
            for verb, resource in (("create", "jobs.batch"), ("watch", "bucketsyncs"), ("patch", "bucketsyncpolicies/status")):
                self.assertTrue(self.can(user, verb, resource, None), f"{verb} {resource}")
            self.assertTrue(self.can(user, "create", "configmaps", namespace))
            for verb, resource in (
                ("get", "secrets"), ("list", "secrets"), ("create", "pods"), ("get", "pods/log"), ("create", "pods/exec"),
                ("delete", "bucketsyncpolicies"), ("get", "configmaps"), ("create", "leases.coordination.k8s.io"),
                ("list", "namespaces"), ("create", "clusterroles"), ("update", "bucketsyncs"), ("impersonate", "users"),
            ):
                self.assertFalse(self.can(user, verb, resource, "kube-system"), f"{verb} {resource}")
            self.assertFalse(self.can(user, "get", "secrets", namespace))

    def test_a_release_for_one_namespace_may_do_nothing_in_others(self):
        with cluster.namespace("narrow") as namespace, cluster.namespace("tenant") as tenant:
            release = Release(namespace, {
                "namespace": "", "watchNamespaces": [tenant], "deployment": {"replicas": 0},
                "fullnameOverride": f"n-{namespace}", "rbac": {"aggregate": False},
            })
            release.helm("install")
            self.addCleanup(release.uninstall)
            user = f"system:serviceaccount:{namespace}:n-{namespace}"
            self.assertTrue(self.can(user, "create", "jobs.batch", tenant))
            self.assertTrue(self.can(user, "create", "configmaps", namespace))
            for where in (namespace, "default"):
                self.assertFalse(self.can(user, "create", "jobs.batch", where))
            for where in (tenant, "default"):
                self.assertFalse(self.can(user, "get", "configmaps", where))

    def test_people_with_view_and_edit_see_and_make_policies(self):
        with cluster.namespace("people") as namespace:
            release = Release(namespace, {"fullnameOverride": f"p-{namespace}", "deployment": {"replicas": 0}})
            release.helm("install")
            self.addCleanup(release.uninstall)
            for role in ("view", "edit"):
                cluster.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}er", "--namespace", namespace)
            cluster.until("view is aggregated", lambda: self.can("viewer", "list", "bucketsyncs", namespace))
            cluster.until("edit is aggregated", lambda: self.can("editer", "create", "bucketsyncpolicies", namespace))
            self.assertFalse(self.can("viewer", "create", "bucketsyncs", namespace))
            self.assertFalse(self.can("editer", "patch", "bucketsyncs/status", namespace))


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
        release = Release(self.operators, {
            "namespace": "", "watchNamespaces": [self.tenant], "fullnameOverride": self.operators,
            "rbac": {"aggregate": False}, **base, **values,
        })
        release.helm("install", "--wait")
        return release

    def pair(self, name, **ends):
        pair = buckets.Pair(self.tenant, name, **ends)
        self.addCleanup(pair.delete)
        return pair

    def finish(self, name):
        return cluster.until(f"{name} has finished", lambda: next((r for r in self.work.finished() or [] if r["metadata"]["name"] == name), None))

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
                lambda: buckets.condition(self.work.run("flying"), "JobRunning").get("status") == "True" and self.work.run("flying"),
            )
            release.helm("upgrade", "--wait", source=next_version())
            second_pod = release.pod()
            self.assertNotEqual(first_pod["metadata"]["uid"], second_pod["metadata"]["uid"])
            cluster.until("the new pod leads", lambda: release.leader().startswith(second_pod["metadata"]["name"]))
            self.work.make_run("rival", held)
            cluster.until("a rival waits", lambda: buckets.condition(self.work.run("rival"), "LocksAcquired").get("reason") == "WaitingForBucket")
            endpoint.release()
            landed = self.finish("flying")
            self.assertEqual(landed["status"]["result"], "Succeeded", landed["status"])
            self.assertEqual(landed["status"]["jobUID"], flying["status"]["jobUID"])
            self.assertEqual(self.finish("rival")["status"]["result"], "Succeeded")
            source, destination = held.objects()
            self.assertEqual(source, destination)
        # One rclone for each run there was.
        self.assertEqual(sorted(line.split()[0].rsplit("-", 1)[0] for line in pods.seen), ["flying", "rival"], pods.seen)

        # The resource types have been updated with it.
        crd = cluster.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bucketsyncpolicies.{chart.GROUP}")
        self.assertIn("bspnext", crd["spec"]["names"]["shortNames"])
        release.helm("upgrade", "--wait")

        # It goes, and leaves the resource types with all policies and runs.
        release.uninstall()
        cluster.until("its pods are gone", lambda: not release.pods() and not objects_of(release))
        self.assertIsNotNone(self.work.policy("photos"))
        self.assertEqual(len(self.work.runs()), 3)

        # The lease is the controllers' own: another release may be using it.
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
        asked = ["ip", "netns", "exec", os.environ["NETWORK_NAMESPACE"], "curl", "--silent", "--fail", "--max-time", "5", url]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        self.assertIn("bucket_sync_policies 0", told)

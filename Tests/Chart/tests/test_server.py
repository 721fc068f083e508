"""What a real API server says to what is rendered, and whom the bindings allow what. Needs no image."""

import subprocess
import unittest

import yaml

from lib import chart, cluster
from lib.release import Release


@cluster.needed
class Manifests(unittest.TestCase):
    """The API server takes everything that is rendered for it, admission and all."""

    MATRIX = {
        "defaults": {},
        "everything": chart.EVERYTHING | {"serviceMonitor": {"enabled": False}, "prometheusRule": {"enabled": False}},
        "one without election": {"controller": {"leaderElection": False}},
        "some namespaces": {"namespace": "", "watchNamespaces": ["default"]},
        "one's own account and scripts": {
            "serviceAccount": {"create": False},
            "rbac": {"create": False},
            "existingHooksConfigMap": "mine",
        },
        "all knobs": {
            "commonLabels": {"a": "b"},
            "commonAnnotations": {"a/b": "c"},
            "deployment": {
                "imagePullSecrets": [{"name": "x"}],
                "extraEnv": [{"name": "X", "value": "y"}],
                "extraArgs": ["--concurrency=2"],
                "extraVolumes": [{"name": "v", "emptyDir": {}}],
                "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
                "nodeSelector": {"a": "b"},
                "tolerations": [{"operator": "Exists"}],
                "resources": None,
                "affinity": {"nodeAffinity": {}},
                "podLabels": {"c": "d"},
                "podAnnotations": {"e": "f"},
            },
            "networkPolicy": {
                "enabled": True,
                "metricsFrom": [{"namespaceSelector": {}}],
                "apiServerTo": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
            },
        },
    }

    def test_the_api_server_takes_them(self):
        with cluster.namespace("manifests") as namespace:
            for name, values in self.MATRIX.items():
                with self.subTest(name):
                    # The resource types are in the cluster, of another release.
                    release = Release(namespace, {**values, "crds": {"install": False}}, f"dry-{namespace}")
                    rendered = release.helm("install", "--dry-run", "server")
                    taken = cluster.kubectl(
                        "apply", "--server-side", "--dry-run=server", "--filename", "-", text=rendered
                    )
                    self.assertIn("deployment.apps", taken)

    def test_the_api_server_takes_the_resource_types(self):
        with cluster.namespace("types") as namespace:
            release = Release(namespace, {}, f"types-{namespace}")
            rendered = release.helm("install", "--dry-run", "server")
            types = [o for o in yaml.safe_load_all(rendered) if o and o["kind"] == "CustomResourceDefinition"]
            self.assertEqual(len(types), 2)
            text = yaml.safe_dump_all(types)
            taken = cluster.kubectl(
                "apply",
                "--server-side",
                "--force-conflicts",
                "--dry-run=server",
                "--validate=false",
                "--filename",
                "-",
                text=text,
            )
            self.assertEqual(taken.count("serverside-applied"), 2)


@cluster.needed
class Rights(unittest.TestCase):
    """What the bindings come to, asked of the API server's own authorizer. No pod is needed for that."""

    def can(self, user, verb, resource, namespace):
        resource, _, subresource = resource.partition("/")
        flags = ["--as", user, "--subresource", subresource]
        flags += ["--namespace", namespace] if namespace else ["--all-namespaces"]
        done = subprocess.run(
            [cluster.KUBECTL, "auth", "can-i", verb, resource, *flags], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() == "yes"

    def test_a_release_for_all_namespaces_may_do_its_work_everywhere_and_nothing_else(self):
        with cluster.namespace("wide") as namespace:
            release = Release(
                namespace, {"namespace": "", "fullnameOverride": f"w-{namespace}", "deployment": {"replicas": 0}}
            )
            release.helm("install")
            self.addCleanup(release.uninstall)
            user = f"system:serviceaccount:{namespace}:w-{namespace}"
            for verb, resource in (
                ("create", "jobs.batch"),
                ("watch", "bucketsyncs"),
                ("patch", "bucketsyncpolicies/status"),
            ):
                self.assertTrue(self.can(user, verb, resource, None), f"{verb} {resource}")
            self.assertTrue(self.can(user, "create", "configmaps", namespace))
            for verb, resource in (
                ("get", "secrets"),
                ("list", "secrets"),
                ("create", "pods"),
                ("get", "pods/log"),
                ("create", "pods/exec"),
                ("delete", "bucketsyncpolicies"),
                ("get", "configmaps"),
                ("create", "leases.coordination.k8s.io"),
                ("list", "namespaces"),
                ("create", "clusterroles"),
                ("update", "bucketsyncs"),
                ("impersonate", "users"),
            ):
                self.assertFalse(self.can(user, verb, resource, "kube-system"), f"{verb} {resource}")
            self.assertFalse(self.can(user, "get", "secrets", namespace))

    def test_a_release_for_one_namespace_may_do_nothing_in_others(self):
        with cluster.namespace("narrow") as namespace, cluster.namespace("tenant") as tenant:
            release = Release(
                namespace,
                {
                    "namespace": "",
                    "watchNamespaces": [tenant],
                    "deployment": {"replicas": 0},
                    "fullnameOverride": f"n-{namespace}",
                    "rbac": {"aggregate": False},
                },
            )
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
                cluster.kubectl(
                    "create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}er", "--namespace", namespace
                )
            cluster.until("view is aggregated", lambda: self.can("viewer", "list", "bucketsyncs", namespace))
            cluster.until("edit is aggregated", lambda: self.can("editer", "create", "bucketsyncpolicies", namespace))
            self.assertFalse(self.can("viewer", "create", "bucketsyncs", namespace))
            self.assertFalse(self.can("editer", "patch", "bucketsyncs/status", namespace))

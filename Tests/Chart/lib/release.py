"""A release of the chart, by Helm's own engine."""

import atexit
import pathlib
import shutil
import tempfile

import yaml

from lib import chart, cluster


def leader(namespace, lease="bucket-sync"):
    """The name of the pod that holds a lease."""
    found = cluster.find(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{lease}")
    return ((found or {}).get("spec") or {}).get("holderIdentity", "").split("_")[0]


class Release:
    """A release of the chart in a namespace of its own."""

    def __init__(self, namespace, values, name="bucket-sync"):
        self.namespace, self.values, self.name = namespace, values, name

    def helm(self, command, *flags, source=chart.CHART):
        if command == "install":
            cluster.adopt_resource_types(self.name, self.namespace)
        told = cluster.helm(command, self.name, str(source), "--namespace", self.namespace, *flags, values=self.values)
        if command == "install" and "--dry-run" not in flags:
            cluster.settle_resource_types()
        return told

    def uninstall(self):
        return cluster.helm("uninstall", self.name, "--namespace", self.namespace, "--wait")

    def pods(self):
        """The controller's pods that are not on their way out."""
        found = cluster.items(
            f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=app.kubernetes.io/component%3Dcontroller"
        )
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pod(self):
        return cluster.until("there is one pod", lambda: len(self.pods()) == 1 and self.pods()[0])

    def restarts(self):
        """The last words of controllers that were restarted in their pods."""
        restarted = [p for p in self.pods() if p["status"]["containerStatuses"][0]["restartCount"]]
        where = ("--namespace", self.namespace, "--tail=20")
        return [cluster.kubectl("logs", p["metadata"]["name"], "--previous", *where) for p in restarted]

    def logs(self):
        return cluster.kubectl("logs", "--namespace", self.namespace, f"deployment/{self.namespace}", "--tail=-1")

    def leader(self):
        where = self.values.get("namespace") or self.namespace
        return leader(where, self.values.get("fullnameOverride", self.name))


def next_version():
    """A copy of the chart of the next version, whose pods are not the same."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bucket-sync-chart-")) / "bucket-sync"
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
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
    namespaced = "all,configmaps,serviceaccounts,roles,rolebindings,poddisruptionbudgets,networkpolicies"
    listed = cluster.kubectl(
        "get", namespaced, "--namespace", release.namespace, "--selector", selector, "--output", "name"
    )
    wide = cluster.kubectl("get", "clusterroles,clusterrolebindings", "--selector", selector, "--output", "name")
    return [name for name in (listed + wide).split() if release.name in name]

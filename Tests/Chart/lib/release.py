"""A release of the chart, by Helm's own engine."""

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
        found = cluster.items(f"/api/v1/namespaces/{self.namespace}/pods?labelSelector=app.kubernetes.io/component%3Dcontroller")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pod(self):
        return cluster.until("there is one pod", lambda: len(self.pods()) == 1 and self.pods()[0])

    def logs(self):
        return cluster.kubectl("logs", "--namespace", self.namespace, f"deployment/{self.namespace}", "--tail=-1")

    def leader(self):
        where = self.values.get("namespace") or self.namespace
        return leader(where, self.values.get("fullnameOverride", self.name))

"""A controller that runs as a service account with the rights of the chart, or some of them."""

import atexit
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import urllib.request

import yaml

from lib import chart, cluster, image


def roles(namespace):
    """The Role and the ClusterRole of the chart, as they are for a release that looks after its own namespace."""
    objects = chart.objects({"namespace": "", "watchNamespaces": [namespace]}, namespace=namespace)
    names = {"ClusterRole": "bucket-sync", "Role": "bucket-sync-locks"}
    return [chart.only(chart.select(objects, kind, name)) for kind, name in names.items()]


def single_rights(role):
    """Every right of a role by itself: (group, resource, verb)."""
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield group, resource, verb


def without(role, right):
    """The role without one right; None changes nothing."""
    rules = []
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                verbs = [verb for verb in rule["verbs"] if (group, resource, verb) != right]
                if verbs:
                    rules.append({**rule, "apiGroups": [group], "resources": [resource], "verbs": verbs})
    return {**role, "rules": rules}


class Operator:
    """The controller as a process of this machine, as a service account that may do what the chart grants."""

    def __init__(self, namespace, missing=None, *flags, name="operator"):
        self.namespace, self.missing, self.name = namespace, missing, name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bucket-sync-operator-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.log_path = self.folder / "log"
        self.grant()
        self.process = None
        self.flags = flags

    @property
    def user(self):
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    def make_account(self):
        cluster.create(f"/api/v1/namespaces/{self.namespace}/serviceaccounts", {"metadata": {"name": self.name}})

    def grant(self):
        """Everything in the namespace: a Role of the rules that the ClusterRole has, and the Role of the locks."""
        base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        self.make_account()
        for number, role in enumerate(roles(self.namespace)):
            name = f"{self.name}-{number}"
            cluster.create(f"{base}/roles", {"metadata": {"name": name}, "rules": without(role, self.missing)["rules"]})
            cluster.create(f"{base}/rolebindings", {
                "metadata": {"name": name},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}],
            })

    def revoke(self):
        """Takes all rights away."""
        base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}/rolebindings"
        for number in range(2):
            cluster.request("DELETE", f"{base}/{self.name}-{number}")

    def renew_account(self):
        """Has the tokens there are taken for nobody's from now on: the account is another one, of the same name."""
        cluster.request("DELETE", f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{self.name}")
        self.make_account()

    def write_token(self):
        """Puts a fresh token where the controller reads it, as a kubelet would: whole, or not at all."""
        token = cluster.create(
            f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{self.name}/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
        )["status"]["token"]
        fresh = self.folder / "token.new"
        fresh.write_text(token, encoding="utf-8")
        fresh.rename(self.folder / "token")

    def kubeconfig(self):
        self.write_token()
        raw = subprocess.run(
            [cluster.KUBECTL, "config", "view", "--raw", "--minify", "--flatten", "-o", "json"],
            check=True, capture_output=True, text=True,
        ).stdout
        config = json.loads(raw)
        user = {"tokenFile": str(self.folder / "token")}
        config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": user}]
        path = self.folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return str(path)

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.metrics_port = free.getsockname()[1]
        with open(self.log_path, "ab") as log:
            self.process = cluster.start(
                str(image.EXECUTABLE), "bucket-sync", "--namespace", self.namespace, "--watch-namespaces", self.namespace,
                "--kubeconfig", self.kubeconfig(), "--leader-election", "--health-address", "127.0.0.1:0",
                "--metrics-address", f"127.0.0.1:{self.metrics_port}", *self.flags,
                env={"PATH": os.environ["PATH"], "RCLONE_IMAGE": os.environ["RCLONE_IMAGE"], "LOG_LEVEL": "info",
                     "POD_NAME": self.name},
                stdout=log, stderr=subprocess.STDOUT,
            )

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def refusals(self):
        """The lines of the log that tell of a right that is missing."""
        return [line for line in self.log().splitlines() if "cannot" in line and "forbidden" in line]

    def stop(self):
        if self.process:
            cluster.stop(self.process)

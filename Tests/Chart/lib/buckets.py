"""Buckets behind S3 endpoints, and policies that sync them."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile

from lib import cluster


class Endpoint:
    """An S3 endpoint: the testbed's, or one of a test's own that can be held."""

    def __init__(self, address, access_key, secret_key, directory, process=None):
        self.address, self.access_key, self.secret_key = address, access_key, secret_key
        self.directory = pathlib.Path(directory)
        self.process = process

    @classmethod
    def testbed(cls, name):
        keys = ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY", "DIRECTORY")
        return cls(*(os.environ[f"S3_{name}_{key}"] for key in keys))

    @classmethod
    def holdable(cls):
        """An endpoint that can be stopped like a film: what reads from it stays in mid-air."""
        directory = tempfile.mkdtemp(prefix="bucket-sync-s3-")
        address = f"10.77.0.1:{random.randrange(20_000, 60_000)}"
        within = ["ip", "netns", "exec", os.environ["NETWORK_NAMESPACE"]]
        process = cluster.start(
            *within,
            os.environ["RCLONE"],
            "serve",
            "s3",
            "--addr",
            address,
            "--vfs-cache-mode",
            "off",
            "--dir-cache-time",
            "50ms",
            directory,
            env={
                "PATH": os.environ["PATH"],
                "HOME": directory,
                "RCLONE_CONFIG": "/dev/null",
                "RCLONE_AUTH_KEY": '"HOLDABLEACCESS,holdable-secret"',
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        asked = [*within, "curl", "--silent", "--max-time", "2", f"http://{address}/"]
        cluster.until(
            f"{address} answers", lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0
        )
        return cls(f"http://{address}", "HOLDABLEACCESS", "holdable-secret", directory, process)

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def release(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        cluster.stop(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)

    def variables(self, secret):
        def key(name):
            return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}}

        plain = {"TYPE": "s3", "PROVIDER": "Rclone", "ENDPOINT": self.address}
        return [{"name": name, "value": value} for name, value in plain.items()] + [
            key("ACCESS_KEY_ID"),
            key("SECRET_ACCESS_KEY"),
        ]


class Pair:
    """A bucket to copy from and one to copy to, in the name of a namespace."""

    def __init__(self, namespace, name, source=None, destination=None):
        self.namespace, self.name = namespace, name
        self.ends = (source or Endpoint.testbed("A"), destination or Endpoint.testbed("B"))
        self.buckets = (f"{namespace}-{name}-from", f"{namespace}-{name}-to")
        self.folders = [end.directory / bucket for end, bucket in zip(self.ends, self.buckets)]
        for folder in self.folders:
            folder.mkdir(parents=True)
        for end, secret in zip(self.ends, self.secrets):
            values = {"ACCESS_KEY_ID": end.access_key, "SECRET_ACCESS_KEY": end.secret_key}
            cluster.create(
                f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": secret}, "stringData": values}
            )

    @property
    def secrets(self):
        return (f"{self.name}-from", f"{self.name}-to")

    def write(self, name, text):
        path = self.folders[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def objects(self):
        """What is in both buckets."""
        return [{str(p.relative_to(f)): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in self.folders]

    def spec(self):
        return {
            "source": self.buckets[0],
            "destination": self.buckets[1],
            "sourceEnv": self.ends[0].variables(self.secrets[0]),
            "destinationEnv": self.ends[1].variables(self.secrets[1]),
        }

    def delete(self):
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)


class Work:
    """Policies and runs of one namespace."""

    def __init__(self, namespace):
        self.base = f"{cluster.GROUP}/namespaces/{namespace}"

    def make_policy(self, name, pair, **spec):
        body = {
            "apiVersion": cluster.GROUP.removeprefix("/apis/"),
            "kind": "BucketSyncPolicy",
            "metadata": {"name": name},
            "spec": {**pair.spec(), "schedule": "0 0 29 2 *", **spec},
        }
        return cluster.create(f"{self.base}/bucketsyncpolicies", body)

    def make_run(self, name, pair, **spec):
        body = {
            "apiVersion": cluster.GROUP.removeprefix("/apis/"),
            "kind": "BucketSync",
            "metadata": {"name": name},
            "spec": {**pair.spec(), **spec},
        }
        return cluster.create(f"{self.base}/bucketsyncs", body)

    def change_policy(self, name, spec):
        cluster.patch(f"{self.base}/bucketsyncpolicies/{name}", {"spec": spec})

    def sync_now(self, name):
        trigger = "bucket-sync.homelab-helper.benfiola.com/sync-now"
        cluster.patch(f"{self.base}/bucketsyncpolicies/{name}", {"metadata": {"annotations": {trigger: ""}}})

    def policy(self, name):
        return cluster.find(f"{self.base}/bucketsyncpolicies/{name}")

    def run(self, name):
        return cluster.find(f"{self.base}/bucketsyncs/{name}")

    def runs(self):
        return cluster.items(f"{self.base}/bucketsyncs")

    def finished(self, count=1):
        """The finished runs, if there are so many."""
        found = [run for run in self.runs() if run.get("status", {}).get("phase") == "Finished"]
        return found if len(found) >= count else None


def condition(run, kind):
    """The condition of a run, if it has it."""
    for found in run.get("status", {}).get("conditions", []):
        if found["type"] == kind:
            return found
    return {}

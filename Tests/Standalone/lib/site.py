"""A machine's own bucket-sync: a folder of manifests, its state, an operator that is started, stopped and killed."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OPERATOR = Path(os.environ.get("HOMELAB_HELPER", ROOT / ".build/debug/homelab-helper"))
RCLONE = Path(os.environ["RCLONE"])
GROUP = "/apis/bucket-sync.homelab-helper.benfiola.com/v1"


def eventually(what: str, condition, seconds: float = 90):
    """What `condition` returns, once that is true; no healthy test comes near the limit."""
    end = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        if time.monotonic() > end:
            raise AssertionError(f"never came about: {what}")
        time.sleep(0.05)


class Refused(Exception):
    """The API has refused a request: its status code, and `metav1.Status`."""

    def __init__(self, code: int, status: dict):
        super().__init__(f"{code}: {status.get('message')}")
        self.code = code
        self.status = status


class Socket(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Site:
    """Everything of one standalone operator, in a folder that is gone afterwards."""

    def __init__(self, folder: Path | None = None):
        # Short, because the path of a socket must be.
        self.root = folder or Path(tempfile.mkdtemp(prefix="bs-", dir="/tmp"))
        self.buckets = self.root / "buckets"
        self.state = self.root / "state"
        self.storage = self.root / "storage"
        self.path = os.environ["PATH"]
        self.environment: dict[str, str] = {}
        self.command: list[str] = []
        self.operator: subprocess.Popen | None = None
        self.buckets.mkdir(mode=0o700)
        self.storage.mkdir()
        self.use(RCLONE)

    def use(self, rclone: Path):
        """Makes the operator find this program as `rclone`."""
        programs = self.root / "bin"
        programs.mkdir(exist_ok=True)
        (programs / "rclone").unlink(missing_ok=True)
        (programs / "rclone").symlink_to(rclone)
        self.path = f"{programs}:/usr/bin:/bin"

    # The operator

    @property
    def log(self) -> str:
        file = self.root / "operator.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self, *flags: str, wait: bool = True):
        """Starts the operator; with `wait`, returns once its API answers."""
        with open(self.root / "operator.log", "ab") as log:
            self.operator = subprocess.Popen(
                [*self.command, OPERATOR, "bucket-sync", "standalone", self.buckets, "--state-dir", self.state, *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": self.path, "HOME": str(self.root), **self.environment})
        if wait:
            eventually("the API answers", self.answers)

    def answers(self) -> bool:
        if self.operator.poll() is not None:
            raise AssertionError(f"the operator has ended ({self.operator.returncode}):\n{self.log[-3000:]}")
        try:
            self.get("/version")
            return True
        except (OSError, http.client.HTTPException):
            return False

    def kill(self):
        """As the kernel does when memory runs out."""
        self.operator.kill()
        self.operator.wait()

    def stop(self) -> int:
        """As an administrator does; the exit code."""
        self.operator.send_signal(signal.SIGTERM)
        return self.operator.wait(timeout=60)

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """One of the other commands, on this site."""
        return subprocess.run(
            [OPERATOR, "bucket-sync", *arguments, "--state-dir", self.state], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, env={"PATH": self.path, "HOME": str(self.root)})

    def remove(self):
        """Ends everything and removes the folder."""
        if self.operator and self.operator.poll() is None:
            self.kill()
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)

    def processes(self) -> list[int]:
        """Everything that runs on account of this site, except for the operator."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            if self.operator and int(entry.name) == self.operator.pid:
                continue
            try:
                if str(self.root).encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    # The API

    def request(self, method: str, path: str, body=None, kind: str = "application/json"):
        connection = Socket(self.state / "api.sock")
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": kind} if text else {})
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        value = json.loads(data) if data else None
        if answer.status >= 300:
            raise Refused(answer.status, value or {})
        return value

    def get(self, path: str):
        return self.request("GET", path)

    def runs(self) -> list[dict]:
        return self.get(f"{GROUP}/bucketsyncs")["items"]

    def policies(self) -> list[dict]:
        return self.get(f"{GROUP}/bucketsyncpolicies")["items"]

    def locks(self) -> list[str]:
        items = self.get("/api/v1/namespaces/bucket-sync-system/configmaps")["items"]
        return [item["metadata"]["name"] for item in items]

    def jobs(self) -> list[dict]:
        return self.get("/apis/batch/v1/jobs")["items"]

    def trigger(self, policy: str, value: str = ""):
        """Asks for a run now, as `kubectl annotate` does."""
        note = {"metadata": {"annotations": {"bucket-sync.homelab-helper.benfiola.com/sync-now": value}}}
        self.request(
            "PATCH", f"{GROUP}/namespaces/default/bucketsyncpolicies/{policy}", note, "application/merge-patch+json")

    # Manifests and storage

    def policy(self, name: str, source: str, destination: str, **spec) -> dict:
        """A policy from one directory of the storage to another: buckets are directories below it."""
        alias = [{"name": "TYPE", "value": "alias"}, {"name": "REMOTE", "value": str(self.storage)}]
        return {
            "apiVersion": "bucket-sync.homelab-helper.benfiola.com/v1", "kind": "BucketSyncPolicy",
            "metadata": {"name": name},
            "spec": {
                "source": source, "destination": destination, "schedule": "@yearly", "sourceEnv": alias,
                "destinationEnv": alias, **spec,
            },
        }

    def write(self, *objects: dict, file: str = "site.json"):
        """Puts objects into the folder, as one file."""
        draft = self.root / "draft"
        draft.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        draft.rename(self.buckets / file)

    def fill(self, bucket: str, count: int = 5, size: int = 1000):
        """Puts files of random content into a bucket."""
        folder = self.storage / bucket
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / f"file {number}").write_bytes(os.urandom(size))

    def same(self, source: str, destination: str) -> bool:
        left, right = self.storage / source, self.storage / destination
        return subprocess.run(["diff", "-rq", left, right], capture_output=True).returncode == 0


def finished(run: dict) -> bool:
    return run.get("status", {}).get("phase") == "Finished"

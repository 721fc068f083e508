"""The quick start, and the SFTP example, on a real cluster: what docs/ tells people to apply does what docs/ says.

Needs KUBECONFIG and an image of rclone on the nodes (`Tests/with-testbed Tests/Docs/run`). The testbed has no cluster DNS and no
proxy for Services, so the name of a Service is replaced by its pod's address; nothing else is changed.
"""

import base64
import json
import os
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

from tests import place

SYNC_NOW = "bucket-sync.homelab-helper.benfiola.com/sync-now="


def run(*arguments, text: str | None = None) -> str:
    answer = subprocess.run(arguments, input=text, capture_output=True, text=True)
    if answer.returncode:
        raise AssertionError(f"{' '.join(map(str, arguments))}\n{answer.stdout}{answer.stderr}")
    return answer.stdout


def key_pair(file: Path) -> str:
    """Writes a private key; the public one, as OpenSSH writes it."""
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", file)
    public = subprocess.run(
        ["openssl", "pkey", "-in", file, "-pubout", "-outform", "DER"], check=True, capture_output=True
    ).stdout[-32:]
    parts = [b"ssh-ed25519", public]
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


@unittest.skipUnless(os.environ.get("KUBECONFIG"), "needs KUBECONFIG")
class OnCluster(unittest.TestCase):
    def setUp(self):
        self.namespace = f"docs-test-{uuid.uuid4().hex[:8]}"
        for file in sorted((place.CHART / "files/crds").glob("*.yaml")):
            # Servers before 1.25 do not know the validation rules in there.
            run("kubectl", "apply", "--validate=false", "--filename", file)
        run("kubectl", "create", "namespace", self.namespace)
        self.addCleanup(run, "kubectl", "delete", "namespace", self.namespace, "--wait=false")
        log = tempfile.NamedTemporaryFile(suffix=".log")
        self.addCleanup(log.close)
        settings = ["--namespace", self.namespace, "--watch-namespaces", self.namespace]
        addresses = ["--health-address", "0", "--metrics-address", "0"]
        controller = subprocess.Popen([place.EXECUTABLE, "bucket-sync", *settings, *addresses], stderr=log)
        # Runs have a finalizer: the controller must be there until they are gone.
        self.addCleanup(controller.wait)
        self.addCleanup(controller.terminate)
        self.addCleanup(self.kubectl, "delete", "bucketsyncs,bucketsyncpolicies", "--all", "--timeout=60s")

    def kubectl(self, *arguments, text: str | None = None) -> str:
        return run("kubectl", "--namespace", self.namespace, *arguments, text=text)

    def address(self, app: str) -> str:
        pods = json.loads(self.kubectl("get", "pods", "--selector", f"app={app}", "--output", "json"))["items"]
        return pods[0]["status"]["podIP"]

    def storage(self) -> str:
        """Sets up the storage of the quick start; its address."""
        self.kubectl("apply", "--filename", place.EXAMPLES / "quick-start/storage.yaml")
        self.kubectl("rollout", "status", "deployment/storage", "--timeout=120s")
        return self.address("storage")

    def sync(self, policy: str) -> dict:
        """Asks for a run of the policy; the run, once it has finished."""
        before = self.manual_run(policy)
        self.kubectl("annotate", "bucketsyncpolicy", policy, SYNC_NOW, "--overwrite")
        for _ in range(600):
            name = self.manual_run(policy)
            if name != before:
                run = json.loads(self.kubectl("get", "bucketsync", name, "--output", "json"))
                if run.get("status", {}).get("phase") == "Finished":
                    return run["status"]
            time.sleep(0.2)
        raise AssertionError(self.kubectl("describe", "bucketsyncs"))

    def manual_run(self, policy: str) -> str:
        return self.kubectl("get", "bucketsyncpolicy", policy, "--output", "jsonpath={.status.lastManualRun}")

    def rclone(self, *arguments, pod: str = "deploy/storage") -> str:
        return self.kubectl("exec", pod, "--", "rclone", *arguments)

    def test_the_quick_start_does_what_it_says(self):
        address = self.storage()
        self.assertIn("Total objects: 20", self.rclone("size", "/data/photos"))
        policy = (place.EXAMPLES / "quick-start/policy.yaml").read_text()
        self.assertIn("storage.default.svc", policy)
        self.kubectl("apply", "--filename", "-", text=policy.replace("storage.default.svc", address))
        self.assertEqual(self.sync("photos")["result"], "Succeeded")
        self.rclone("check", "/data/photos", "/data/photos-backup")

        self.rclone("test", "makefiles", "/data/photos/new", "--files", "5")
        self.kubectl("patch", "secret", "storage", "--patch", '{"stringData": {"secret-access-key": "wrong"}}')
        failed = self.sync("photos")
        self.assertEqual(failed["result"], "Failed")
        self.assertIn("the source refused the credentials; check spec.sourceEnv", failed["error"])
        self.assertIn("Total objects: 20", self.rclone("size", "/data/photos-backup"))

        self.kubectl("apply", "--filename", place.EXAMPLES / "quick-start/storage.yaml")
        self.assertEqual(self.sync("photos")["result"], "Succeeded")
        self.assertIn("Total objects: 25", self.rclone("size", "/data/photos-backup"))

    def test_the_sftp_example_syncs_to_a_server_with_its_key_pinned(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "client.pub").write_text(key_pair(Path(folder, "client")) + "\n")
            pinned = key_pair(Path(folder, "server"))
            # As the example says: one line, with \n written out.
            line = run("awk", r'{printf "%s\\n", $0}', Path(folder, "client"))
            files = [f"--from-file={name}={folder}/{name}" for name in ("client.pub", "server")]
            self.kubectl("create", "secret", "generic", "sftp-server", *files)
        self.kubectl("apply", "--filename", "-", text=json.dumps(self.sftp_server()))
        self.kubectl("wait", "--for=condition=Ready", "pod/sftp-server", "--timeout=120s")
        storage = self.storage()

        keys = {"access-key-id": "quick-start-access", "secret-access-key": "quick-start-secret"}
        literals = [f"--from-literal={name}={value}" for name, value in keys.items()]
        self.kubectl("create", "secret", "generic", "garage", *literals)
        self.kubectl("create", "secret", "generic", "sftp", f"--from-literal=private-key={line}")
        example = (place.EXAMPLES / "manifests/sftp.yaml").read_text().split("\n---\n")[-1]
        changes = {
            "namespace: default": f"namespace: {self.namespace}",
            "http://garage.garage.svc:3900": f"http://{storage}:9000",
            "{name: HOST, value: sftp.example.com}": f"{{name: HOST, value: {self.address('sftp-server')}}}",
            '"22"': '"2022"',
        }
        for old, new in changes.items():
            self.assertIn(old, example)
            example = example.replace(old, new)
        # The example pins another server's key: rclone must not talk to this one.
        self.kubectl("apply", "--filename", "-", text=example)
        self.assertEqual(self.sync("sftp")["result"], "Failed")
        start = "value: ssh-ed25519 "
        other = example[example.index(start) + 7 :].split("}")[0]
        self.kubectl("apply", "--filename", "-", text=example.replace(other, pinned))
        status = self.sync("sftp")
        self.assertEqual(status["result"], "Succeeded", status)
        self.assertIn("Total objects: 20", self.rclone("size", "/data/backup/photos", pod="pod/sftp-server"))

    def sftp_server(self) -> dict:
        data = {"name": "data", "mountPath": "/data"}
        keys = {"name": "keys", "mountPath": "/keys"}
        image = os.environ.get("RCLONE_IMAGE", "docker.io/rclone/rclone:1.75.2")
        serve = ["rclone", "serve", "sftp", "/data", "--addr", ":2022", "--user", "backup"]
        serve += ["--authorized-keys", "/keys/client.pub", "--key", "/keys/server"]
        environment = [{"name": name, "value": value} for name, value in
                       {"RCLONE_CONFIG": "", "RCLONE_CACHE_DIR": "/tmp", "RCLONE_DIR_CACHE_TIME": "1s"}.items()]
        server = {"name": "server", "image": image, "command": serve, "env": environment, "volumeMounts": [data, keys],
                  "readinessProbe": {"tcpSocket": {"port": 2022}, "periodSeconds": 1}}
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "sftp-server", "labels": {"app": "sftp-server"},
                         "annotations": {"kubectl.kubernetes.io/default-container": "server"}},
            "spec": {
                "containers": [server],
                "volumes": [{"name": "data", "emptyDir": {}}, {"name": "keys", "secret": {"secretName": "sftp-server"}}],
            },
        }

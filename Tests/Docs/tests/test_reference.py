"""Every metric, alert and field is documented, and nothing is that does not exist."""

import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import yaml

from tests import place

METRICS = place.section("operate.md", "## Metrics")
DOCUMENTED = {
    name: (kind, set(re.findall(r"`([a-z]+)`", labels)))
    for name, kind, labels in re.findall(r"^\| `([a-z_]+)` \| (\w+) \| (.*?) ?\|", METRICS, re.MULTILINE)
}


def metrics_in_sources() -> set[str]:
    call = r"(?:counter|gauge|histogram|computed|collected|register)\(\s*(?:\.\w+,\s*)?"
    found = set()
    for folder in ("Sources", "plugins"):
        for file in (place.ROOT / folder).rglob("*.swift"):
            text = "\n".join(line for line in file.read_text().splitlines() if not line.lstrip().startswith("//"))
            found |= set(re.findall(call + r'"([a-z]+_[a-z_]+)"', text))
            found |= set(re.findall(r'"((?:bucket_sync|process)_[a-z_]+)"', text))
    return found


def exposition() -> str:
    """What the real controller serves at /metrics before it has reached any API server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder, "kubeconfig")
        cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        user = {"name": "u", "user": {}}
        kubeconfig.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [cluster], "contexts": [context], "users": [user]}))
        arguments = ["--namespace", "x", "--kubeconfig", kubeconfig, "--leader-election", "--health-address", "0",
                     "--metrics-address", f"127.0.0.1:{port}"]
        environment = {"PATH": os.environ["PATH"], "LOG_LEVEL": "critical"}
        with subprocess.Popen([place.EXECUTABLE, "bucket-sync", *arguments], env=environment) as process:
            try:
                for _ in range(300):
                    try:
                        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
                        if "rest_client_requests_total" in text:
                            return text
                    except OSError:
                        pass
                    time.sleep(0.1)
                raise AssertionError("the controller serves no metrics")
            finally:
                process.kill()


class Metrics(unittest.TestCase):
    def test_metrics_are_documented_and_exist(self):
        existing = metrics_in_sources()
        self.assertGreater(len(existing), 30)
        self.assertEqual(set(DOCUMENTED), existing)

    def test_types_and_labels_are_those_that_the_controller_serves(self):
        text = exposition()
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self.assertGreater(len(types), 20)
        for name, kind in types.items():
            with self.subTest(metric=name):
                self.assertEqual(DOCUMENTED.get(name, ("",))[0], kind)
        for name, labels in re.findall(r"^([a-z_]+)\{(.*)\} ", text, re.MULTILINE):
            name = re.sub(r"_(bucket|sum|count)$", "", name)
            with self.subTest(metric=name):
                self.assertEqual(set(re.findall(r'(\w+)="', labels)) - {"le"}, DOCUMENTED[name][1])


class Alerts(unittest.TestCase):
    def test_alerts_are_documented_and_exist(self):
        rule = (place.CHART / "templates/monitoring/prometheusrule.yaml").read_text()
        existing = set(re.findall(r"- alert: (\w+)", rule))
        self.assertGreater(len(existing), 3)
        self.assertEqual(place.firsts(place.section("operate.md", "## Alerts")), existing)


class Fields(unittest.TestCase):
    def test_fields_of_both_kinds_are_documented_and_exist(self):
        for file in sorted((place.CHART / "files/crds").glob("*.yaml")):
            crd = yaml.safe_load(file.read_text())
            kind = crd["spec"]["names"]["kind"]
            text = place.section("api.md", f"## {kind}")
            schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
            for part in ("spec", "status"):
                documented = text.split(f"### {part}\n")[1].split("\n### ")[0]
                with self.subTest(kind=kind, part=part):
                    self.assertEqual(place.firsts(documented), set(schema[part]["properties"]))

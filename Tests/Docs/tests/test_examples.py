"""What people copy out of the documentation and the examples is YAML, and rclone knows every option in it."""

import json
import os
import re
import subprocess
import unittest

import yaml

from tests import place


def documents():
    """Name and YAML of every example and every block in the documentation."""
    for file in sorted(place.EXAMPLES.glob("*/*.yaml")):
        # The test cases of scripts are checked by `hooks test`.
        if not file.name.endswith(".test.yaml"):
            yield file.name, file.read_text()
    for file in [place.DOCS.parent / "README.md", *sorted(place.DOCS.glob("*.md"))]:
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", file.read_text(), re.S | re.M), start=1):
            yield f"{file.name}, block {number}", block


def environments(node):
    """Every sourceEnv and destinationEnv in a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("sourceEnv", "destinationEnv"):
                yield value
            else:
                yield from environments(value)
    elif isinstance(node, list):
        for value in node:
            yield from environments(value)


class Examples(unittest.TestCase):
    def setUp(self):
        answer = subprocess.run([os.environ["RCLONE"], "config", "providers"], check=True, capture_output=True)
        self.backends = {}
        for backend in json.loads(answer.stdout):
            for name in [backend["Name"], backend["Prefix"], *(backend["Aliases"] or [])]:
                self.backends[name] = {option["Name"]: option for option in backend["Options"]}

    # These two are the specification's own, to the letter; rclone takes unknown providers for `Other`, with a notice.
    as_specified = {"garage-to-s3.yaml", "daily-backup.yaml", "manual-run.yaml"}

    def test_variables_are_options_of_rclone(self):
        seen = set()
        for name, text in documents():
            with self.subTest(document=name):
                for environment in environments(list(yaml.safe_load_all(text))):
                    literals = {variable["name"]: variable.get("value") for variable in environment}
                    if "TYPE" not in literals:
                        continue
                    options = self.backends[literals["TYPE"]]
                    seen.add(literals["TYPE"])
                    unknown = {option for option in literals if option != "TYPE" and option.lower() not in options}
                    self.assertEqual(unknown, set())
                    if "PROVIDER" in literals and name not in self.as_specified and not name.startswith("api.md"):
                        self.assertIn(literals["PROVIDER"], self.providers(options))
        self.assertGreaterEqual(seen, {"s3", "google cloud storage", "azureblob", "b2", "sftp"})

    def providers(self, options):
        return {example["Value"] for example in options["provider"]["Examples"]}

    def test_examples_are_linked_to(self):
        pages = "".join(file.read_text() for file in place.DOCS.glob("*.md"))
        pages += (place.EXAMPLES / "manifests/README.md").read_text()
        for file in place.EXAMPLES.glob("[mq]*/*.yaml"):
            self.assertIn(f"{file.name})", pages)

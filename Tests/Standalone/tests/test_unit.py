"""The unit for systemd: it is understood, and as hardened as it says."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from lib.site import OPERATOR, ROOT

UNIT = ROOT / "examples/standalone/bucket-sync.service"


class Unit(unittest.TestCase):
    def test_systemd_understands_every_line(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "bucket-sync.service"
            copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.M))
            answer = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
        self.assertEqual((answer.returncode, answer.stderr), (0, ""))

    def test_exposure_is_low(self):
        answer = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=15", UNIT], capture_output=True, text=True)
        self.assertEqual(answer.returncode, 0, answer.stdout)

    def test_flags_are_those_of_the_command(self):
        flags = re.findall(r"--[a-z-]+", re.search(r"^ExecStart=(.*)$", UNIT.read_text(), re.M).group(1))
        text = subprocess.run(
            [OPERATOR, "bucket-sync", "standalone", "--help"], check=True, capture_output=True, text=True).stdout
        for flag in flags:
            self.assertIn(flag, text)

    def test_user_is_the_one_that_is_made(self):
        users = (ROOT / "examples/standalone/bucket-sync.sysusers").read_text()
        user = re.search(r"^User=(.*)$", UNIT.read_text(), re.M).group(1)
        self.assertIn(f"\nu {user} ", users)


if __name__ == "__main__":
    unittest.main()

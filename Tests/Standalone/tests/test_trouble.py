"""Trouble that machines have: each is told clearly, and costs nothing that was done."""

import os
import subprocess
import time
import unittest
from pathlib import Path

from lib.site import OPERATOR, Site, eventually, finished


class Trouble(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.remove)

    def run_of(self, policy: str) -> dict | None:
        runs = [run for run in self.site.runs() if run["metadata"]["name"].startswith(f"{policy}-")]
        return runs[-1] if runs else None

    def finished_run(self, policy: str) -> dict:
        def run():
            found = self.run_of(policy)
            return found if found and finished(found) else None
        return eventually(f"a run of {policy} has finished", run)

    def mount(self, folder: Path, size: str):
        """A small file system of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", folder])

    def fill_disk(self) -> Path:
        """Takes all space of the state's file system; the file that does."""
        ballast = self.site.state / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            for size in [1 << 20, 4096]:
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass
        return ballast

    def refused(self, *flags: str) -> str:
        """What the operator says when it does not start."""
        self.site.start(*flags, wait=False)
        self.assertNotEqual(self.site.operator.wait(timeout=60), 0)
        return self.site.log

    def test_second_instance_refuses_to_start(self):
        self.site.start()
        answer = subprocess.run(
            [OPERATOR, "bucket-sync", "standalone", self.site.buckets, "--state-dir", self.site.state],
            capture_output=True, text=True, timeout=60)
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn(f"is in use by process {self.site.operator.pid}", answer.stderr)
        self.assertTrue(self.site.answers())

    def test_disk_full(self):
        site = self.site
        self.mount(site.state, "16m")
        site.fill("a")
        site.write(site.policy("first", "a", "b"), site.policy("second", "a", "c"))
        site.start()
        eventually("the policies are there", lambda: len(site.policies()) == 2)
        site.trigger("first")
        self.finished_run("first")
        ballast = self.fill_disk()
        for number in range(1000):
            try:
                site.trigger("second", f"{number}")
            except Exception as error:
                self.assertIn("the state on disk cannot be used", str(error))
                break
        else:
            self.fail("the disk never became full")
        eventually("the log tells", lambda: "the state on disk cannot be used" in site.log)
        ballast.unlink()
        site.trigger("second", "now")
        self.assertEqual(self.finished_run("second")["status"]["result"], "Succeeded")
        self.assertEqual(self.finished_run("first")["status"]["result"], "Succeeded")
        self.assertTrue(site.same("a", "c"))

    def test_disk_full_while_rclone_ends(self):
        site = self.site
        self.mount(site.state, "16m")
        site.fill("a", count=1, size=3_000_000)
        site.write(site.policy("first", "a", "b"))
        slow = site.root / "slow"
        slow.write_text(f'#!/bin/sh\nexec {site.root}/bin/rclone-itself "$@" --bwlimit 1M\n')
        slow.chmod(0o755)
        (site.root / "bin/rclone-itself").symlink_to(os.environ["RCLONE"])
        site.use(slow)
        site.start()
        eventually("the policy is there", site.policies)
        site.trigger("first")
        eventually("rclone runs", lambda: any(
            pod["status"].get("phase") == "Running" for pod in site.get("/api/v1/pods")["items"]))
        ballast = self.fill_disk()
        eventually("rclone has ended", lambda: site.same("a", "b"))
        time.sleep(1)
        site.kill()
        ballast.unlink()
        site.start()
        self.assertEqual(self.finished_run("first")["status"]["result"], "Succeeded")

    def test_state_that_cannot_be_written(self):
        self.mount(self.site.state, "1m")
        subprocess.run(["mount", "-o", "remount,ro", self.site.state], check=True)
        said = self.refused()
        self.assertIn(str(self.site.state), said)
        self.assertIn("Read-only file system", said)
        self.assertIn("--state-dir", said)

    def test_state_of_somebody_else(self):
        self.site.state.mkdir()
        os.chown(self.site.state, 12345, 12345)
        os.chmod(self.site.root, 0o755)
        self.site.command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        os.chmod(self.site.buckets, 0o755)
        said = self.refused()
        self.assertIn(f"{self.site.state}: cannot be kept from others", said)
        self.assertIn("--state-dir", said)

    def test_damaged_state(self):
        self.site.state.mkdir()
        (self.site.state / "objects.sqlite").write_bytes(b"no database " * 1000)
        said = self.refused()
        self.assertIn("objects.sqlite: is damaged", said)
        self.assertIn("restore it from a backup", said)

    def test_folder_that_is_not_there(self):
        self.site.buckets.rmdir()
        said = self.refused()
        self.assertIn(f"{self.site.buckets}: is no folder", said)

    def test_address_of_everybody(self):
        said = self.refused("--api-address", "0.0.0.0:6443")
        self.assertIn("--api-address", said)

    def test_rclone_missing(self):
        site = self.site
        (site.root / "bin/rclone").unlink()
        site.fill("a")
        site.write(site.policy("first", "a", "b"))
        site.start()
        self.assertIn("there is no rclone on the PATH", site.log)
        eventually("the policy is there", site.policies)
        site.trigger("first", "1")
        status = self.finished_run("first")["status"]
        self.assertEqual(status["result"], "Failed")
        self.assertIn("rclone", status["error"])
        self.assertIn("PATH", status["error"])
        site.use(Path(os.environ["RCLONE"]))
        eventually("the first trigger is off", lambda: "bucket-sync.homelab-helper.benfiola.com/sync-now" not in
                   site.policies()[0]["metadata"].get("annotations", {}))
        site.trigger("first", "2")
        eventually("the buckets are the same", lambda: site.same("a", "b"))

    def test_files_that_cannot_be_read(self):
        site = self.site
        site.command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        site.write(site.policy("first", "a", "b"))
        for folder in [site.root, site.buckets]:
            os.chmod(folder, 0o755)
        os.chmod(site.buckets / "site.json", 0o644)
        site.state.mkdir()
        os.chown(site.state, 65534, 65534)
        site.start()
        eventually("the policy is there", site.policies)
        os.chmod(site.buckets / "site.json", 0o600)
        site.write(site.policy("second", "a", "c"), file="second.json")
        os.chmod(site.buckets / "second.json", 0o600)
        eventually("the log tells", lambda: "Permission denied" in site.log)
        self.assertEqual([policy["metadata"]["name"] for policy in site.policies()], ["first"])
        os.chmod(site.buckets / "second.json", 0o644)
        eventually("the second is there", lambda: len(site.policies()) == 2)

    def test_clock_set_back_by_an_hour(self):
        site = self.site
        library, offset = site.root / "clock.so", site.root / "clock"
        source = Path(__file__).parents[1] / "lib/clock.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
        offset.write_bytes(bytes(8))
        site.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
        site.fill("a")
        site.write(site.policy("ticks", "a", "b", schedule="@every 2s", syncHistoryLimit=100))
        site.start()
        eventually("two runs have finished", lambda: sum(map(finished, site.runs())) >= 2)
        before = {run["metadata"]["name"]: run["metadata"]["uid"] for run in site.runs()}
        with open(offset, "r+b") as file:
            file.write((-3600).to_bytes(8, "little", signed=True))
        site.trigger("ticks", "now")
        eventually("a run by hand finishes all the same", lambda: any(
            finished(run) and "manual" in run["metadata"]["name"] for run in site.runs()))
        after = {run["metadata"]["name"]: run["metadata"]["uid"] for run in site.runs()}
        self.assertEqual({name: uid for name, uid in after.items() if name in before}, before)
        eventually("it is told", lambda: "the clock went back" in site.log)
        self.assertIn("the clock went back", site.policies()[0]["status"]["conditions"][0]["message"])
        eventually("locks are gone", lambda: not site.locks())


if __name__ == "__main__":
    unittest.main()

"""The operator is killed again and again while runs overlap; nothing may be doubled, and nothing lost."""

import os
import random
import shutil
import sqlite3
import time
import unittest
from pathlib import Path

from lib.site import RCLONE, Site, eventually, finished

KILLS = int(os.environ.get("KILLS", "200"))


class Killed(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.remove)
        self.testimony = self.site.root / "testimony"
        programs = self.site.root / "bin"
        (programs / "rclone").unlink()
        shutil.copy(Path(__file__).parents[1] / "lib/witness", programs / "rclone")
        (programs / "rclone-itself").symlink_to(RCLONE)

    def lines(self, name: str) -> list[list[str]]:
        file = self.testimony / name
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def test_killed_at_any_moment(self):
        site = self.site
        seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
        print(f"SEED={seed} KILLS={KILLS}", flush=True)
        moments = random.Random(seed)
        site.fill("a")
        # Which policy comes first is a matter of chance, and a source that is not there would be an error.
        for bucket in ["b", "c"]:
            (site.storage / bucket).mkdir()
        # A cycle of buckets, and two policies that share one: every run meets others.
        site.write(
            site.policy("ab", "a", "b", schedule="@every 2s", syncHistoryLimit=1000),
            site.policy("bc", "b", "c", schedule="@every 3s", syncHistoryLimit=1000),
            site.policy("ca", "c", "d/from-c", schedule="@every 3s", syncHistoryLimit=1000),
            site.policy("ad", "a", "d/from-a", schedule="@every 5s", syncHistoryLimit=1000),
            site.policy("manual", "a", "e"))
        seen: dict[str, str] = {}
        triggered = 0
        for number in range(KILLS):
            site.start(wait=False)
            time.sleep(moments.uniform(0.05, 0.6))
            if number % 10 == 9:
                try:
                    eventually("the API answers", site.answers)
                    for run in site.runs():
                        seen[run["metadata"]["name"]] = run["metadata"]["uid"]
                    if triggered == 0:
                        site.trigger("manual", "once")
                        triggered = 1
                    time.sleep(moments.uniform(0, 0.4))
                except OSError:
                    pass
            site.kill()
            self.assertEqual(self.lines("overlaps"), [], f"two rclone at one bucket, SEED={seed}")
        site.start()
        for source, destination in [("a", "b"), ("a", "e"), ("a", "d/from-a"), ("a", "d/from-c")]:
            eventually(f"{destination} is as {source}", lambda: site.same(source, destination))
        # No more ticks, so that everything can come to its end.
        site.write(*[
            site.policy(*policy, suspend=True, syncHistoryLimit=1000)
            for policy in [("ab", "a", "b"), ("bc", "b", "c"), ("ca", "c", "d/from-c"), ("ad", "a", "d/from-a")]
        ], site.policy("manual", "a", "e"))
        eventually("all policies are suspended", lambda: sum(
            1 for policy in site.policies() if policy["spec"].get("suspend") and
            policy.get("status", {}).get("observedGeneration") == policy["metadata"]["generation"]) == 4)
        eventually("all runs have ended", lambda: all(finished(run) for run in site.runs()), 180)
        eventually("locks and Jobs are gone", lambda: not site.locks() and not site.jobs())

        runs = {run["metadata"]["name"]: run for run in site.runs()}
        self.assertEqual({name: runs[name]["metadata"]["uid"] for name in seen if name in runs}, seen, "a run is lost")
        self.assertEqual(self.lines("overlaps"), [], f"two rclone at one bucket, SEED={seed}")
        log = self.lines("log")
        starts = [line[1] for line in log if line[0] == "start"]
        # Whoever was started without an end was killed with its supervisor, which nobody does here.
        self.assertEqual(sorted(starts), sorted(line[1] for line in log if line[0] == "end"))
        results = [run["status"]["result"] for run in runs.values()]
        self.assertEqual(results.count("Succeeded"), len(results), {
            name: run["status"] for name, run in runs.items() if run["status"]["result"] != "Succeeded"})
        self.assertEqual(len(starts), len(runs), "not one rclone for each run")
        self.assertEqual(
            len([run for run in runs.values() if run["metadata"]["name"].startswith("manual-")]), 1, "not one run by hand")
        print(f"{len(runs)} runs, {len(starts)} rclone, {KILLS} kills", flush=True)
        self.assertEqual(site.stop(), 0)
        database = sqlite3.connect(site.state / "objects.sqlite")
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        database.close()
        self.assertEqual(site.processes(), [], "a process is left")


if __name__ == "__main__":
    unittest.main()

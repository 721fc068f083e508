"""A thousand policies in the folder: all are applied, each edit costs one write, and every run happens."""

import json
import unittest

from lib.site import Site, eventually, finished

COUNT = 1000


class Scale(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.remove)

    def test_a_thousand_policies(self):
        site = self.site
        site.fill("a", count=1)
        for number in range(COUNT):
            site.write(site.policy(f"p{number}", "a", f"b{number}"), file=f"p{number}.json")
        site.start()
        eventually("all policies are ready", lambda: sum(
            1 for policy in site.policies() if policy.get("status", {}).get("nextSyncTime")) == COUNT, 300)
        version = int(site.get("/api/v1/configmaps")["metadata"]["resourceVersion"])
        site.write(site.policy("p7", "a", "b7", schedule="@monthly"), file="p7.json")
        eventually("the edit is applied and seen", lambda: next(
            policy for policy in site.policies() if policy["metadata"]["name"] == "p7"
        )["status"]["observedGeneration"] == 2)
        # One write for the spec, one for the status.
        self.assertEqual(int(site.get("/api/v1/configmaps")["metadata"]["resourceVersion"]) - version, 2)
        for number in range(20):
            site.trigger(f"p{number}")
        eventually("the runs have finished", lambda: len(site.runs()) == 20 and all(map(finished, site.runs())), 180)
        self.assertEqual({run["status"]["result"] for run in site.runs()}, {"Succeeded"}, json.dumps(site.runs())[:2000])
        for number in range(COUNT):
            (site.buckets / f"p{number}.json").unlink()
        eventually("all policies are gone", lambda: not site.policies() and not site.runs(), 300)


if __name__ == "__main__":
    unittest.main()

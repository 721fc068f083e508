"""The commands against a standalone operator, where that is not as on a cluster."""

import unittest

from lib.site import Site, eventually


class Commands(unittest.TestCase):
    def setUp(self):
        self.site = Site()
        self.addCleanup(self.site.remove)

    def test_without_an_operator_it_is_told_how_to_start_one(self):
        answer = self.site.run("get")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("standalone", answer.stderr)

    def test_a_policy_that_is_not_understood_is_not_triggered(self):
        site = self.site
        site.write(site.policy("bad", "a", "b", schedule="0 2 * *"))
        site.start()
        eventually("the policy is looked at", lambda: any(policy.get("status") for policy in site.policies()))
        for flags in [[], ["--wait"]]:
            answer = site.run("trigger", "bad", *flags)
            self.assertEqual(answer.returncode, 1)
            self.assertIn("policy bad cannot run: spec.schedule", answer.stderr)
        self.assertNotIn("sync-now", str(site.policies()[0]["metadata"]["annotations"]))

    def test_a_log_can_be_read_when_its_job_is_gone(self):
        site = self.site
        site.fill("a")
        site.write(site.policy("good", "a", "b"))
        site.start()
        eventually("the policy is there", site.policies)
        answer = site.run("trigger", "good", "--wait")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        eventually("the Job is gone", lambda: not site.jobs())
        answer = site.run("logs", "policy/good")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("100%", answer.stdout)


if __name__ == "__main__":
    unittest.main()

"""The rights of the controller are what it needs, no more and no less; shown on a real API server."""

import concurrent.futures
import json
import os
import re
import unittest

from lib import account, cluster, image, scenario

FLAGS = ("--lock-timeout", "1s")


class Played:
    """The scenario as it went for a controller that lacks one right, or none."""

    def __init__(self, missing=None):
        self.missing = missing
        self.problems = []
        self.refusals = []
        self.audit = set()

    def play(self):
        with cluster.namespace("rights") as namespace:
            operator = account.Operator(namespace, self.missing, *FLAGS)
            # What is missing has been told: no need to wait for what never comes.
            played = scenario.Scenario(namespace, abandoned=lambda: self.missing and self.told(operator))
            try:
                operator.start()
                self.problems = played.play()
                self.refusals = operator.refusals()
                operator.stop()
                self.log = operator.log()
                self.audit = used_rights(operator.user)
            finally:
                operator.stop()
                played.clean()
        return self

    def told(self, operator):
        return any(self.names_it(line) for line in operator.refusals())

    def names_it(self, line):
        group, resource, verb = self.missing
        return f'cannot {verb} resource "{resource}" in API group "{group}"' in line.replace("\\", "")


def used_rights(user):
    """What the API server let this user do, by its audit log."""
    used = set()
    with open(os.environ["AUDIT_LOG"], encoding="utf-8") as log:
        for line in log:
            if user not in line:
                continue
            entry = json.loads(line)
            reference = entry.get("objectRef")
            if entry["user"]["username"] != user or not reference or not reference.get("resource"):
                continue
            resource = "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
            used.add((reference.get("apiGroup", ""), resource, entry["verb"]))
    return used


@image.needed
class ExactRights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cluster.have_resource_types()
        cls.granted = [right for role in account.roles("any") for right in account.single_rights(role)]

    def test_all_that_is_granted_is_used_and_nothing_else_is_asked_for(self):
        played = Played().play()
        self.assertEqual(played.problems, [])
        self.assertEqual(played.refusals, [])
        self.assertEqual(played.audit, set(self.granted))

    def test_without_any_one_right_the_log_says_which_is_missing(self):
        self.assertGreater(len(self.granted), 20)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for played in pool.map(lambda right: Played(right).play(), self.granted):
                with self.subTest(" ".join(played.missing)):
                    clear = [line for line in played.refusals if played.names_it(line)]
                    self.assertTrue(clear, f"nothing broke; {played.problems}\n{played.log[-2000:]}")
                    # It is in one line, of a warning or an error, that a person understands.
                    self.assertTrue(any(re.search(r"\b(warning|error)\b", line, re.I) for line in clear), clear)

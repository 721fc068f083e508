"""The rules of the roles, against a list that was checked by hand."""

import unittest

from lib import chart

# What the controller does, and where that is in the sources.
CONTROLLER = {
    (chart.GROUP, "bucketsyncpolicies"): {"list", "watch", "patch"},
    (chart.GROUP, "bucketsyncpolicies/status"): {"patch"},
    (chart.GROUP, "bucketsyncs"): {"get", "list", "watch", "create", "patch", "delete"},
    (chart.GROUP, "bucketsyncs/status"): {"patch"},
    ("batch", "jobs"): {"get", "list", "watch", "create", "delete"},
    ("", "pods"): {"list", "watch"},
    ("events.k8s.io", "events"): {"create", "patch"},
}
LOCKS = {
    ("", "configmaps"): {"get", "list", "watch", "create", "patch", "delete"},
    ("coordination.k8s.io", "leases"): {"create"},
    ("coordination.k8s.io", "leases", "bucket-sync"): {"get", "update"},
}
VIEW = {(chart.GROUP, kind): {"get", "list", "watch"} for kind in ("bucketsyncpolicies", "bucketsyncs")}
EDIT = {
    (chart.GROUP, kind): {"create", "update", "patch", "delete", "deletecollection"}
    for kind in ("bucketsyncpolicies", "bucketsyncs")
}


def rights(role):
    found = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames", [None]):
                    key = (group, resource) if name is None else (group, resource, name)
                    found.setdefault(key, set()).update(rule["verbs"])
    return found


class Rights(unittest.TestCase):
    def test_the_controllers_are_exactly_these(self):
        objects = chart.objects(chart.EVERYTHING)
        self.assertEqual(rights(chart.only(chart.select(objects, "ClusterRole", "bucket-sync"))), CONTROLLER)
        self.assertEqual(rights(chart.only(chart.select(objects, "Role"))), LOCKS)
        bound = {o["roleRef"]["name"] for o in objects if o["kind"].endswith("Binding")}
        self.assertEqual(bound, {"bucket-sync", "bucket-sync-locks"})

    def test_none_is_on_secrets_and_none_is_for_everything(self):
        for role in chart.objects(chart.EVERYTHING):
            for rule in role.get("rules", []):
                text = str(rule)
                self.assertNotIn("secrets", text)
                self.assertNotIn("*", text)

    def test_people_get_theirs_through_the_clusters_roles(self):
        def aggregated(role):
            prefix = "rbac.authorization.k8s.io/aggregate-to-"
            return {k.removeprefix(prefix) for k in role["metadata"]["labels"] if k.startswith(prefix)}

        view, edit = (chart.find("ClusterRole", name=f"bucket-sync-{name}") for name in ("view", "edit"))
        self.assertEqual((rights(view), aggregated(view)), (VIEW, {"view", "edit", "admin"}))
        self.assertEqual((rights(edit), aggregated(edit)), (EDIT, {"edit", "admin"}))

    def test_watching_some_namespaces_binds_there_and_nowhere_else(self):
        objects = chart.objects({"namespace": "", "watchNamespaces": ["a", "b", "a"]})
        self.assertEqual(chart.select(objects, "ClusterRoleBinding"), [])
        bindings = {(o["metadata"]["namespace"], o["roleRef"]["kind"]) for o in chart.select(objects, "RoleBinding")}
        self.assertEqual(bindings, {("a", "ClusterRole"), ("b", "ClusterRole"), (chart.NAMESPACE, "Role")})

    def test_the_lease_is_the_releases_own(self):
        values = {"fullnameOverride": "mine"}
        self.assertIn(("coordination.k8s.io", "leases", "mine"), rights(chart.find("Role", values)))
        self.assertIn(("LEADER_ELECTION_ID", "mine"), chart.environment(values))

    def test_watching_all_namespaces_binds_once(self):
        objects = chart.objects()
        self.assertEqual(chart.only(chart.select(objects, "ClusterRoleBinding"))["roleRef"]["name"], "bucket-sync")
        locks = chart.only(chart.select(objects, "RoleBinding"))
        self.assertEqual(locks["metadata"]["namespace"], "default")

    def test_roles_can_be_left_to_others(self):
        left = {"rbac": {"create": False, "aggregate": False}, "serviceAccount": {"create": False, "name": "mine"}}
        objects = chart.objects(left)
        self.assertEqual([o["kind"] for o in objects if "Role" in o["kind"] or o["kind"] == "ServiceAccount"], [])
        self.assertEqual(
            chart.only(chart.select(objects, "Deployment"))["spec"]["template"]["spec"]["serviceAccountName"], "mine"
        )

"""Values: what is refused, and how that is told; what they change."""

import json
import re
import unittest

import helm_python
import yaml

from lib import chart


def refusal(values):
    try:
        chart.files(values)
    except helm_python.HelmError as error:
        return str(error)
    return None


class Lint(unittest.TestCase):
    def test_helm_finds_nothing_to_complain_about(self):
        for values in ({}, chart.EVERYTHING):
            report = helm_python.lint(chart.CHART, values, strict=True)
            # 1 is advice. A chart without a picture is fine.
            grave = [m for m in report["messages"] if m["severity"] > 1 or "icon" not in m["error"]]
            self.assertEqual(grave, [])


class Refusals(unittest.TestCase):
    """Each wrong value is refused with a message that names it."""

    CASES = [
        ({"replicas": 2}, "'replicas' not allowed"),
        ({"deployment": {"replica": 2}}, "'/deployment': additional properties 'replica' not allowed"),
        ({"deployment": {"replicas": "2"}}, "'/deployment/replicas': got string, want integer"),
        ({"deployment": {"replicas": -1}}, "'/deployment/replicas'"),
        ({"deployment": {"image": {"tag": "not a tag"}}}, "'/deployment/image/tag'"),
        ({"deployment": {"image": {"digest": "abc"}}}, "'/deployment/image/digest'"),
        ({"deployment": {"image": {"pullPolicy": "always"}}}, "'/deployment/image/pullPolicy'"),
        ({"deployment": {"resources": {"limit": {}}}}, "additional properties 'limit' not allowed"),
        ({"deployment": {"extraEnv": [{"value": "x"}]}}, "missing property 'name'"),
        ({"deployment": {"extraArgs": "--leader-election"}}, "'/deployment/extraArgs': got string, want array"),
        ({"namespace": "No_Namespace"}, "'/namespace'"),
        ({"watchNamespaces": "a,b"}, "'/watchNamespaces': got string, want array"),
        ({"watchNamespaces": ["a", "B"]}, "'/watchNamespaces/1'"),
        ({"controller": {"lockTimeout": "5 minutes"}}, "'/controller/lockTimeout'"),
        ({"controller": {"concurrency": 0}}, "'/controller/concurrency'"),
        ({"controller": {"logLevel": "loud"}}, "'/controller/logLevel'"),
        ({"rclone": {"imagePullPolicy": "Sometimes"}}, "'/rclone/imagePullPolicy'"),
        ({"hooks": ["a.lua"]}, "'/hooks': got array, want object"),
        ({"hooks": {"a.lua": 1}}, "'/hooks/a.lua': got number, want string"),
        ({"hookSettings": {"onError": "panic"}}, "'/hookSettings/onError'"),
        ({"hookSettings": {"memory": "much"}}, "'/hookSettings/memory'"),
        ({"serviceMonitor": {"interval": "often"}}, "'/serviceMonitor/interval'"),
        ({"prometheusRule": {"lockWaitTooLongAfter": ""}}, "'/prometheusRule/lockWaitTooLongAfter'"),
        ({"podDisruptionBudget": {"maxUnavailable": "half"}}, "'/podDisruptionBudget/maxUnavailable'"),
        ({"networkPolicy": {"apiServerPorts": []}}, "'/networkPolicy/apiServerPorts'"),
        ({"commonLabels": {"a": "not a label"}}, "'/commonLabels/a'"),
        # What takes more than one value to see.
        (
            {"deployment": {"replicas": 2}, "controller": {"leaderElection": False}},
            "deployment.replicas is 2, but controller.leaderElection is off",
        ),
        ({"hooks": {"a.lua": ""}, "existingHooksConfigMap": "mine"}, "hooks and existingHooksConfigMap are both set"),
        ({"hooks": {"limit rate.lua": ""}}, 'hooks has a script called "limit rate.lua"'),
        ({"hooks": {"limit rate.lua": ""}}, "Call it limit-rate.lua"),
        ({"hooks": {"limit.txt": ""}}, "files that end in .lua only"),
        ({"hooks": {"..data.lua": ""}}, 'hooks has a script called "..data.lua"'),
        ({"hooks": {"a.lua": "x" * 1_000_001}}, "larger than a ConfigMap may be"),
        ({"deployment": {"extraEnv": [{"name": "NAMESPACE", "value": "x"}]}}, "set the value namespace instead"),
        ({"deployment": {"extraEnv": [{"name": "METRICS_ADDRESS", "value": ":1"}]}}, "leave it out"),
        ({"prometheusRule": {"enabled": True}}, "prometheusRule.enabled needs serviceMonitor.enabled"),
        ({"serviceMonitor": {"enabled": True}, "service": {"enabled": False}}, "needs service.enabled"),
    ]

    def test_wrong_values_are_refused_by_name(self):
        for values, message in self.CASES:
            with self.subTest(str(values)[:100]):
                self.assertIn(message, refusal(values) or "it was taken")

    def test_the_specifications_values_are_taken(self):
        values = {
            "deployment": {
                "image": {"tag": "1.2.3"},
                "replicas": 2,
                "resources": {
                    "limits": {"cpu": "200m", "memory": "256Mi"},
                    "requests": {"cpu": "100m", "memory": "128Mi"},
                },
            },
            "namespace": "locks",
        }
        deployment = chart.find("Deployment", values)
        self.assertEqual(deployment["spec"]["replicas"], 2)
        container = chart.container(values)
        self.assertTrue(container["image"].endswith(":1.2.3"))
        self.assertEqual(container["resources"], values["deployment"]["resources"])
        self.assertIn(("NAMESPACE", "locks"), chart.environment(values))
        self.assertEqual(chart.find("Role", values)["metadata"]["namespace"], "locks")
        self.assertNotIn("resources", chart.container({"deployment": {"resources": None}}))

    def test_the_specifications_defaults_are_kept(self):
        self.assertEqual(chart.find("Deployment")["spec"]["replicas"], 1)
        self.assertIn(("NAMESPACE", "default"), chart.environment())
        version = chart.loaded().metadata["version"]
        self.assertTrue(chart.container()["image"].endswith(f":{version}"))

    def test_a_chart_that_has_this_one_as_a_part_may_pass_globals(self):
        self.assertIsNone(refusal({"global": {"imageRegistry": "x"}}))


class Documentation(unittest.TestCase):
    EXPLAINED_ABOVE = set(
        "cpu memory type drop runAsNonRoot allowPrivilegeEscalation readOnlyRootFilesystem grafana_dashboard"
        " initialDelaySeconds periodSeconds timeoutSeconds failureThreshold"
        " failedRunsAllowed metricRelabelings extraVolumeMounts extraEgress".split()
    )

    def test_every_value_has_a_comment(self):
        lines = (chart.CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
        bare = []
        for above, line in zip([""] + lines, lines):
            if not re.match(r"\s*[A-Za-z]+:", line):
                continue
            leaf = not re.match(r"\s*[A-Za-z]+:$", line)
            commented = above.strip().startswith("#") or "  #" in line
            # Members of a Kubernetes object, and a value that shares the comment of the one above it.
            known = line.strip().split(":")[0] in self.EXPLAINED_ABOVE
            if leaf and not commented and not known:
                bare.append(line)
        self.assertEqual(bare, [])

    def test_the_schema_knows_every_value_and_no_other(self):
        def names(value, path=""):
            for key, inner in (value or {}).items():
                yield f"{path}{key}"
                if isinstance(inner, dict):
                    yield from names(inner, f"{path}{key}.")

        def properties(schema, path=""):
            for key, inner in schema.get("properties", {}).items():
                yield f"{path}{key}"
                yield from properties(inner, f"{path}{key}.")

        schema = json.loads((chart.CHART / "values.schema.json").read_text(encoding="utf-8"))
        documented = set(names(yaml.safe_load((chart.CHART / "values.yaml").read_text(encoding="utf-8"))))
        known = set(properties(schema)) - {"global", "deployment.resources.claims"}
        self.assertEqual(known - documented, set(), "in the schema only")

    def test_the_versions_of_chart_and_controller_are_one(self):
        source = chart.REPOSITORY / "Sources/BucketSyncOperator/Commands/HomelabHelperCommand.swift"
        version = re.search(r'static let current = "(.*)"', source.read_text(encoding="utf-8"))[1]
        self.assertEqual(chart.loaded().metadata["version"], version)
        self.assertEqual(chart.loaded().metadata["appVersion"], version)

    def test_the_notes_tell_the_next_step(self):
        notes = chart.files({"namespace": "", "watchNamespaces": ["team-a"]})["NOTES.txt"]
        for text in ("looks after team-a", "kubectl rollout status --namespace operators deployment/bucket-sync"):
            self.assertIn(text, notes)
        manifest = notes.split("<<'END'\n")[1].split("\n     END")[0]
        policy = yaml.safe_load(manifest)
        self.assertEqual((policy["kind"], policy["metadata"]["namespace"]), ("BucketSyncPolicy", "team-a"))

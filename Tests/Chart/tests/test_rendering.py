"""What is rendered from which values."""

import base64
import itertools
import unittest

import yaml

from lib import chart


class Matrix(unittest.TestCase):
    """Properties that hold for every combination of values."""

    DIMENSIONS = {
        "replicas": [{"deployment": {"replicas": 1}}, {"deployment": {"replicas": 3}}],
        "election": [{}, {"controller": {"leaderElection": False}}],
        "namespaces": [{}, {"namespace": "", "watchNamespaces": ["a", "b"]}],
        "parts": [{}, chart.EVERYTHING, {key: {"create": False} for key in ("serviceAccount", "rbac")}],
        "names": [{}, {"fullnameOverride": "x" * 63}],
        "hooks": [{}, {"existingHooksConfigMap": "mine", "hooks": None}],
    }

    def combinations(self):
        for combination in itertools.product(*self.DIMENSIONS.values()):
            values = {}
            for part in combination:
                values = merged(values, part)
            replicas = values.get("deployment", {}).get("replicas", 1)
            if replicas == 1 or values.get("controller", {}).get("leaderElection", True):
                yield values

    def test_every_combination_is_sound(self):
        count = 0
        for values in self.combinations():
            count += 1
            with self.subTest(values):
                objects = chart.objects(values)
                self.check_identity(objects)
                self.check_selectors(objects)
                self.check_account(objects)
        self.assertGreater(count, 40)

    def check_identity(self, objects):
        keys = [(o["apiVersion"], o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in objects]
        self.assertEqual(len(keys), len(set(keys)), "an object is there twice")
        for o in objects:
            labels = o["metadata"]["labels"]
            self.assertEqual(labels["app.kubernetes.io/name"], "bucket-sync")
            self.assertEqual(labels["app.kubernetes.io/managed-by"], "Helm")
            limit = 253 if o["kind"] in ("CustomResourceDefinition", "ConfigMap") else 63
            self.assertLessEqual(len(o["metadata"]["name"]), limit)
            self.assertTrue(all(isinstance(v, str) and len(v) <= 63 for v in labels.values()), labels)

    def check_selectors(self, objects):
        deployment = chart.only(chart.select(objects, "Deployment"))
        pod = deployment["spec"]["template"]["metadata"]["labels"]
        selectors = [o["spec"]["selector"] for o in chart.select(objects, "Service")]
        selectors += [o["spec"]["podSelector"]["matchLabels"] for o in chart.select(objects, "NetworkPolicy")]
        selectors += [
            o["spec"]["selector"]["matchLabels"]
            for kind in ("Deployment", "PodDisruptionBudget")
            for o in chart.select(objects, kind)
        ]
        for selector in selectors:
            self.assertLessEqual(selector.items(), pod.items())
        for monitor in chart.select(objects, "ServiceMonitor"):
            service = chart.only(chart.select(objects, "Service"))
            selector = monitor["spec"]["selector"]["matchLabels"]
            self.assertLessEqual(selector.items(), service["metadata"]["labels"].items())

    def check_account(self, objects):
        spec = chart.only(chart.select(objects, "Deployment"))["spec"]["template"]["spec"]
        accounts = [o["metadata"]["name"] for o in chart.select(objects, "ServiceAccount")] or ["default"]
        self.assertEqual([spec["serviceAccountName"]], accounts)
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for binding in chart.select(objects, kind):
                subject = chart.only([{**s, "metadata": s} for s in binding["subjects"]])
                self.assertEqual((subject["name"], subject["namespace"]), (accounts[0], chart.NAMESPACE))


def merged(left, right):
    both = dict(left)
    for key, value in right.items():
        both[key] = merged(left[key], value) if isinstance(value, dict) and isinstance(left.get(key), dict) else value
    return both


class Pods(unittest.TestCase):
    def test_they_pass_the_restricted_pod_security_standard(self):
        spec = chart.find("Deployment", chart.EVERYTHING)["spec"]["template"]["spec"]
        self.assertEqual(spec["securityContext"], {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
        for container in spec["containers"]:
            context = container["securityContext"]
            self.assertFalse(context["allowPrivilegeEscalation"])
            self.assertTrue(context["readOnlyRootFilesystem"])
            self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
        self.assertEqual({next(k for k in v if k != "name") for v in spec["volumes"]}, {"configMap"})
        for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
            self.assertNotIn(forbidden, spec)

    def test_probes_ask_the_ports_that_the_controller_is_told(self):
        container = chart.container()
        ports = {p["name"]: p["containerPort"] for p in container["ports"]}
        environment = dict(chart.environment())
        self.assertEqual(environment["HEALTH_ADDRESS"], f":{ports['health']}")
        self.assertEqual(environment["METRICS_ADDRESS"], f":{ports['metrics']}")
        self.assertEqual(container["livenessProbe"]["httpGet"], {"path": "/healthz", "port": "health"})
        self.assertEqual(container["readinessProbe"]["httpGet"], {"path": "/readyz", "port": "health"})

    def test_a_single_pod_is_elected_too_and_is_replaced_without_a_gap(self):
        strategy = chart.find("Deployment")["spec"]["strategy"]
        self.assertIn(("LEADER_ELECTION", "true"), chart.environment())
        self.assertEqual(strategy, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})

    def test_without_election_the_old_pod_goes_first(self):
        values = {"controller": {"leaderElection": False}}
        self.assertEqual(chart.find("Deployment", values)["spec"]["strategy"], {"type": "Recreate"})
        self.assertIn(("LEADER_ELECTION", "false"), chart.environment(values))
        rules = [rule["resources"] for rule in chart.find("Role", values)["rules"]]
        self.assertNotIn(["leases"], rules)

    def test_several_are_spread_and_protected_and_one_is_not(self):
        def spread(values):
            return chart.find("Deployment", values)["spec"]["template"]["spec"].get("topologySpreadConstraints")

        several = {"deployment": {"replicas": 2}}
        keys = [c["topologyKey"] for c in spread(several)]
        self.assertEqual(keys, ["kubernetes.io/hostname", "topology.kubernetes.io/zone"])
        self.assertEqual(chart.find("PodDisruptionBudget", several)["spec"]["maxUnavailable"], 1)
        self.assertIsNone(spread({}))
        self.assertEqual(chart.select(chart.objects(), "PodDisruptionBudget"), [])
        mine = [{"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]
        self.assertEqual(spread({"deployment": {"replicas": 2, "topologySpreadConstraints": mine}}), mine)
        self.assertIsNone(spread({"deployment": {"replicas": 2, "topologySpreadConstraints": []}}))

    def test_settings_reach_the_controller_and_defaults_are_left_to_it(self):
        values = {
            "controller": {"logLevel": "debug", "logFormat": "json", "concurrency": 2000000, "lockTimeout": "1m"},
            "rclone": {"image": "mirror/rclone:1", "imagePullPolicy": "Never"},
            "watchNamespaces": ["a", "b", "a"],
        }
        names = [name for name, _ in chart.environment()]
        self.assertEqual(
            names,
            ["POD_NAME", "NAMESPACE", "LEADER_ELECTION", "LEADER_ELECTION_ID", "HEALTH_ADDRESS", "METRICS_ADDRESS"],
        )
        expected = {
            "LOG_LEVEL": "debug",
            "LOG_FORMAT": "json",
            "CONCURRENCY": "2000000",
            "LOCK_TIMEOUT": "1m",
            "RCLONE_IMAGE": "mirror/rclone:1",
            "RCLONE_IMAGE_PULL_POLICY": "Never",
            "WATCH_NAMESPACES": "a,b",
        }
        self.assertLessEqual(expected.items(), dict(chart.environment(values)).items())
        off = {"controller": {"jobStartTimeout": "0"}}
        self.assertIn(("JOB_START_TIMEOUT", "0"), chart.environment(off))

    def test_no_variable_is_there_twice(self):
        values = {
            "controller": {"logLevel": "debug"},
            "deployment": {
                "extraEnv": [{"name": "LOG_LEVEL", "value": "trace"}, {"name": "HTTPS_PROXY", "value": "x"}]
            },
        }
        environment = chart.environment(values)
        self.assertEqual(len(environment), len(dict(environment)))
        self.assertEqual(dict(environment)["LOG_LEVEL"], "trace")

    def test_what_is_asked_for_is_passed_on(self):
        deployment = {
            "imagePullSecrets": [{"name": "registry"}],
            "labels": {"l": "1"},
            "annotations": {"a": "1"},
            "podLabels": {"pl": "1"},
            "podAnnotations": {"pa": "1"},
            "extraArgs": ["--concurrency", "3"],
            "extraVolumes": [{"name": "v", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "priorityClassName": "high",
            "terminationGracePeriodSeconds": 7,
            "image": {"repository": "r.example:5000/x/y", "digest": "sha256:" + "0" * 64},
        }
        found = chart.find("Deployment", {"deployment": deployment, "commonAnnotations": {"c": "1"}})
        spec = found["spec"]["template"]["spec"]
        for key in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName"):
            self.assertEqual(spec[key], deployment[key])
        self.assertEqual(spec["terminationGracePeriodSeconds"], 7)
        self.assertEqual(spec["volumes"], deployment["extraVolumes"])
        container = spec["containers"][0]
        self.assertEqual(container["args"], ["bucket-sync", "--concurrency", "3"])
        self.assertEqual(container["volumeMounts"], deployment["extraVolumeMounts"])
        self.assertEqual(container["image"], "r.example:5000/x/y@sha256:" + "0" * 64)
        pod = found["spec"]["template"]["metadata"]
        self.assertEqual((found["metadata"]["labels"]["l"], pod["labels"]["pl"]), ("1", "1"))
        self.assertEqual(
            (found["metadata"]["annotations"]["a"], pod["annotations"]["pa"], pod["annotations"]["c"]), ("1",) * 3
        )


class Hooks(unittest.TestCase):
    SCRIPTS = {
        "plain.lua": "return 1\n",
        "-odd_Name.2.lua": "",
        "quotes.lua": "local a, b = 'it''s', \"\\\"\" -- # not a comment: [x]\n",
        "templates.lua": '-- {{ .Values.namespace }} {{- fail "no" }} ${HOME} $(id)\n',
        "white.lua": "  leading\n\ttab\n\n\ntrailing  \n \n",
        "windows.lua": "a\r\nb\r\n",
        "unicode.lua": "-- überall 🪣 \u2028 \u00a0 \ufeff\n",
        "yaml.lua": "---\n...\n&a *b !!int 3\n%TAG\n",
        "markup.lua": '<a href="x">&amp;</a>\n',
        "controls.lua": "bell \u0007 escape \u001b delete \u007f c1 \u0080\u009f none \uffff\n",
        "no-end.lua": "x = 1",
        "number.lua": "12",
        "null.lua": "null",
    }

    def test_scripts_reach_the_config_map_to_the_letter(self):
        found = chart.find("ConfigMap", {"hooks": self.SCRIPTS}, "bucket-sync-hooks")
        scripts = dict(found["data"])
        for name, text in found["binaryData"].items():
            scripts[name] = base64.b64decode(text).decode()
        self.assertEqual(scripts, self.SCRIPTS)

    def test_the_whole_folder_is_mounted_where_the_controller_looks(self):
        for values, name in (
            ({"hooks": {"a.lua": ""}}, "bucket-sync-hooks"),
            ({"existingHooksConfigMap": "mine"}, "mine"),
        ):
            with self.subTest(name):
                spec = chart.find("Deployment", values)["spec"]["template"]["spec"]
                self.assertEqual(spec["volumes"], [{"name": "hooks", "configMap": {"name": name}}])
                mount = spec["containers"][0]["volumeMounts"][0]
                self.assertEqual(mount, {"name": "hooks", "mountPath": "/etc/bucket-sync/hooks", "readOnly": True})
                self.assertIn(("HOOKS_DIR", mount["mountPath"]), chart.environment(values))

    def test_a_change_of_scripts_restarts_nothing(self):
        def template(script):
            return chart.find("Deployment", {"hooks": {"a.lua": script}})["spec"]["template"]

        self.assertEqual(template("return 1"), template("return 2"))


class ResourceTypes(unittest.TestCase):
    def test_they_are_those_of_the_sources(self):
        rendered = {o["metadata"]["name"]: o for o in chart.select(chart.objects(), "CustomResourceDefinition")}
        self.assertEqual(len(rendered), 2)
        for path in (chart.CHART / "files/crds").iterdir():
            source = yaml.safe_load(path.read_text(encoding="utf-8"))
            with self.subTest(path.name):
                found = rendered[source["metadata"]["name"]]
                self.assertEqual(found["spec"], source["spec"])
                self.assertEqual(found["apiVersion"], source["apiVersion"])

    def test_they_are_kept_unless_told_otherwise(self):
        def policies(values):
            found = chart.select(chart.objects(values), "CustomResourceDefinition")
            return [o["metadata"].get("annotations", {}).get("helm.sh/resource-policy") for o in found]

        self.assertEqual(policies({}), ["keep", "keep"])
        self.assertEqual(policies({"crds": {"keep": False}}), [None, None])
        self.assertEqual(policies({"crds": {"install": False}}), [])
        self.assertIn("EVERY policy and run", chart.files({"crds": {"keep": False}})["NOTES.txt"])

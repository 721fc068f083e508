"""Alerts, the dashboard and the ServiceMonitor: they are understood, and they speak of what the controller tells."""

import json
import pathlib
import re
import tempfile
import unittest

from lib import account, buckets, chart, cluster, image, prometheus

MONITORED = {
    "hooks": {"a.lua": ""},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
    "dashboard": {"enabled": True},
}


def rule_groups(values=None):
    return chart.find("PrometheusRule", values or MONITORED)["spec"]


def dashboard():
    return json.loads(chart.find("ConfigMap", MONITORED, "bucket-sync-dashboard")["data"]["bucket-sync.json"])


def expressions():
    """Every expression, with where it is."""
    for rule in rule_groups()["groups"][0]["rules"]:
        yield rule["alert"], rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


class Rules(unittest.TestCase):
    def test_promtool_understands_them(self):
        self.assertIsNone(prometheus.promtool("check", "rules", "rules.yaml", rules=rule_groups()))

    def test_promtool_understands_the_dashboard(self):
        rules = [
            {"record": f"panel_{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$job", ".+")}
            for number, (_, expression) in enumerate(expressions())
        ]
        groups = {"groups": [{"name": "panels", "rules": rules}]}
        self.assertIsNone(prometheus.promtool("check", "rules", "rules.yaml", rules=groups))

    def test_each_alert_says_what_to_do(self):
        for rule in rule_groups()["groups"][0]["rules"]:
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("warning", "critical"))
                self.assertIn("kubectl", rule["annotations"]["description"])

    def test_labels_of_alerts_can_be_set(self):
        values = chart.EVERYTHING | {
            "prometheusRule": {"enabled": True, "alertLabels": {"team": "x", "severity": "page"}}
        }
        for rule in rule_groups(values)["groups"][0]["rules"]:
            self.assertEqual(rule["labels"], {"team": "x", "severity": "page"})


class Alerts(unittest.TestCase):
    """What fires when, by Prometheus' own engine. Time goes in minutes; the policy is made at 0."""

    POLICY = 'job="bucket-sync", namespace="team", policy="photos"'

    def series(self, name, values, labels=POLICY):
        return {"series": f"{name}{{{labels}}}", "values": values}

    def firing(self, at, *series):
        """The names of the alerts that fire."""
        alerts = [rule["alert"] for rule in rule_groups()["groups"][0]["rules"]]
        up = self.series("up", "1x5000", 'job="bucket-sync", namespace="operators"')
        leader = self.series("leader_election_master_status", "1x5000", 'job="bucket-sync"')
        series = list(series)
        given = {one["series"] for one in series}
        # promtool compares; so it is told that nothing fires, and complains of what does.
        test = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": "1m",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": series + [one for one in (up, leader) if one["series"] not in given],
                    "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []} for alert in alerts],
                }
            ],
        }
        complaints = prometheus.promtool("test", "rules", "test.yaml", rules=rule_groups(), test=test) or ""
        found = set(re.findall(r"alertname: *(\w+)", complaints))
        self.assertEqual(bool(found), bool(complaints), complaints)
        return found

    def policy(self, last_sync, last_success=None, suspended=0, next_sync="9999999x2000"):
        """A policy whose times, in seconds, are these."""
        yield self.series("bucket_sync_policy_created_timestamp_seconds", "0x2000")
        yield self.series("bucket_sync_policy_last_sync_timestamp_seconds", last_sync)
        if last_success:
            yield self.series("bucket_sync_policy_last_success_timestamp_seconds", last_success)
        yield self.series("bucket_sync_policy_suspended", f"{suspended}x2000")
        yield self.series("bucket_sync_policy_next_sync_timestamp_seconds", next_sync)

    def test_nothing_fires_while_all_is_well(self):
        self.assertEqual(self.firing("10h", *self.policy("60x2000", "120x2000")), set())

    def test_a_policy_without_success_since_its_last_run(self):
        late = {"BucketSyncLastSuccessTooOld"}
        self.assertEqual(self.firing("5h", *self.policy("60x2000")), set())
        self.assertEqual(self.firing("10h", *self.policy("60x2000")), late)
        # Hourly runs, all failing after a first success.
        self.assertEqual(self.firing("10h", *self.policy("60+60x2000", "120x2000")), late)
        self.assertEqual(self.firing("10h", *self.policy("60x2000", suspended=1)), set())

    def test_a_tick_that_is_not_answered(self):
        late = self.policy("60x2000", "120x2000", next_sync="3600x2000")
        self.assertEqual(self.firing("90m", *late), {"BucketSyncTickMissed"})
        late = self.policy("60x2000", "120x2000", next_sync="3600x2000")
        self.assertEqual(self.firing("70m", *late), set())

    def test_a_policy_that_is_not_in_order(self):
        broken = self.series("bucket_sync_policy_ready", "0x2000")
        self.assertEqual(self.firing("1h", broken), {"BucketSyncPolicyNotReady"})

    def test_runs_that_fail(self):
        failing = self.series("bucket_sync_runs_total", "0x30 1x1000", 'job="bucket-sync", result="Failed"')
        succeeding = self.series("bucket_sync_runs_total", "0+1x1000", 'job="bucket-sync", result="Succeeded"')
        self.assertEqual(self.firing("45m", failing, succeeding), {"BucketSyncRunsFailing"})
        self.assertEqual(self.firing("3h", failing, succeeding), set())

    def test_a_run_that_waits_long(self):
        wait = self.series("bucket_sync_longest_lock_wait_seconds", "0+60x1000", 'job="bucket-sync"')
        self.assertEqual(self.firing("1h", wait), set())
        self.assertEqual(self.firing("3h", wait), {"BucketSyncLockWaitTooLong"})

    def test_no_controller_answers(self):
        down = self.series("up", "0x1000", 'job="bucket-sync", namespace="operators"')
        self.assertEqual(self.firing("1h", down), {"BucketSyncControllerDown"})

    def test_no_controller_leads(self):
        idle = self.series("leader_election_master_status", "0x1000", 'job="bucket-sync"')
        self.assertEqual(self.firing("1h", idle), {"BucketSyncNoLeader"})

    def test_scripts_that_cannot_be_loaded(self):
        broken = self.series("bucket_sync_hook_reload_failed", "1x1000", 'job="bucket-sync"')
        self.assertEqual(self.firing("1h", broken), {"BucketSyncHooksNotLoaded"})


class Dashboard(unittest.TestCase):
    def test_panels_are_whole_and_do_not_overlap(self):
        found = dashboard()
        taken = set()
        for panel in found["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            taken |= cells
            self.assertTrue(panel["targets"] and panel["title"])
        self.assertEqual(len({p["id"] for p in found["panels"]}), len(found["panels"]))

    def test_grafana_finds_it_by_its_label(self):
        self.assertEqual(
            chart.find("ConfigMap", MONITORED, "bucket-sync-dashboard")["metadata"]["labels"]["grafana_dashboard"], "1"
        )


@image.needed
class Names(unittest.TestCase):
    """Every metric that alerts and panels speak of is one that the controller tells."""

    # Prometheus' own.
    OTHERS = {"up"}

    def test_every_metric_is_told(self):
        cluster.have_resource_types()
        with cluster.namespace("metrics") as namespace:
            # A counter of failures has a series once there was one.
            folder = self.enterContext(tempfile.TemporaryDirectory())
            failing = 'return {api = 1, pre_lock = function(ctx) if ctx.params.fail then error("on purpose") end end}'
            pathlib.Path(folder, "failing.lua").write_text(failing, encoding="utf-8")
            operator = account.Operator(namespace, None, "--hooks-dir", folder)
            self.addCleanup(operator.stop)
            operator.start()
            plain = buckets.Pair(namespace, "plain")
            self.addCleanup(plain.delete)
            work = buckets.Work(namespace)
            work.make_policy("photos", plain)
            cluster.until("the policy is seen", lambda: work.policy("photos").get("status"))
            work.sync_now("photos")
            cluster.until("a run has succeeded", work.finished)
            work.make_run("failing", plain, parameters={"fail": "yes"})
            wanted = {name: where for where, text in expressions() for name in prometheus.metrics(text)}
            self.assertGreater(len(wanted), 15)

            def missing():
                told = {line.split("{")[0].split(" ")[0] for line in operator.metrics().splitlines()}
                return {name: where for name, where in wanted.items() if name not in told | self.OTHERS}

            try:
                cluster.until("all metrics are told", lambda: not missing(), within=20)
            except cluster.NeverHappened:
                self.fail(f"nobody tells of {missing()}")


class Scraping(unittest.TestCase):
    def test_the_monitor_is_what_the_prometheus_operator_takes(self):
        # The parts of monitoring.coreos.com/v1 that are used, as its resource types have them.
        monitor = chart.find(
            "ServiceMonitor",
            MONITORED
            | {
                "serviceMonitor": {
                    "enabled": True,
                    "scrapeTimeout": "5s",
                    "relabelings": [{"action": "labeldrop", "regex": "x"}],
                }
            },
        )
        self.assertEqual(set(monitor["spec"]), {"selector", "namespaceSelector", "endpoints"})
        known = {"port", "path", "honorLabels", "interval", "scrapeTimeout", "relabelings", "metricRelabelings"}
        for endpoint in monitor["spec"]["endpoints"]:
            self.assertLessEqual(set(endpoint), known)
            ports = [p["name"] for p in chart.find("Service", MONITORED)["spec"]["ports"]]
            self.assertIn(endpoint["port"], ports)
        rule = {"alert", "expr", "for", "labels", "annotations"}
        for group in rule_groups()["groups"]:
            self.assertEqual(set(group), {"name", "rules"})
            for entry in group["rules"]:
                self.assertLessEqual(set(entry), rule)

"""Everything that the controller ever does, in one namespace and half a minute.

a policy is triggered twice and keeps one run      runs, Jobs, locks, statuses, Events; deleting old runs
a policy is broken, repaired, and broken again     an Event that is counted instead of being made again
a lock is left by somebody who is gone             looking for its holder, taking it away
a ConfigMap that is no lock has the name of one    reading what is in the way
a lock is deleted while its run is at work         taking it again, and the other one once more
a Job is deleted by somebody else                  looking for the Job, and whether its pods have stopped
"""

import threading

from lib import buckets, cluster

# Nobody answers here: rclone stays at work.
NOWHERE = ("http://10.77.0.254:9", "NOBODYACCESS", "nobody-secret")


class Abandoned(Exception):
    pass


class Scenario:
    def __init__(self, namespace, abandoned=lambda: False):
        self.namespace = namespace
        self.work = buckets.Work(namespace)
        self.abandoned = abandoned
        self.pair = buckets.Pair(namespace, "done")
        self.orphaned = buckets.Pair(namespace, "orphaned")
        self.strange = buckets.Pair(namespace, "strange")
        nowhere = buckets.Endpoint(*NOWHERE, self.pair.ends[0].directory)
        self.hanging = buckets.Pair(namespace, "hanging", source=nowhere)
        self.pair.write("a/b.txt", "content")
        self.problems = []

    def play(self, within=90):
        """Plays all of it; the problems that came up."""
        parts = (self.trigger_twice, self.break_twice, self.meet_an_orphan, self.meet_a_stranger, self.lose_a_job)

        def played(part):
            try:
                part(within)
            except Abandoned:
                pass
            except (AssertionError, cluster.Refused) as problem:
                self.problems.append(f"{part.__name__}: {problem}")

        threads = [threading.Thread(target=played, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.problems

    def clean(self):
        for pair in (self.pair, self.orphaned, self.strange, self.hanging):
            pair.delete()

    def until(self, what, condition, within):
        def tried():
            if self.abandoned():
                raise Abandoned
            return condition()

        return cluster.until(what, tried, within)

    def trigger_twice(self, within):
        self.work.make_policy("twice", self.pair, syncHistoryLimit=1)

        def mine():
            return [r for r in self.work.runs() if r["metadata"]["name"].startswith("twice-")]

        def succeeded(number):
            done = [r for r in mine() if r.get("status", {}).get("result") == "Succeeded"]
            return len(done) >= number and done

        self.until("the policy is seen", lambda: self.work.policy("twice").get("status"), within)
        self.work.sync_now("twice")
        first = self.until("the first run succeeds", lambda: succeeded(1), within)[0]["metadata"]["name"]
        self.until(
            "the trigger is taken off", lambda: not self.work.policy("twice")["metadata"].get("annotations"), within
        )
        self.work.sync_now("twice")
        # One run is kept, and it is not the first one.
        self.until(
            "the first run is deleted",
            lambda: [r["metadata"]["name"] for r in mine()] != [first] and len(mine()) == 1 and succeeded(1),
            within,
        )

    def break_twice(self, within):
        self.work.make_policy("broken", self.pair)
        for schedule, error in (("nonsense", True), ("@yearly", False), ("nonsense", True)):
            self.work.change_policy("broken", {"schedule": schedule})
            self.until(
                f"the schedule {schedule} is judged",
                lambda: bool((self.work.policy("broken").get("status") or {}).get("error")) == error,
                within,
            )
        events = f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"
        self.until(
            "an Event is counted",
            lambda: any((e.get("series") or {}).get("count", 1) > 1 for e in cluster.items(events)),
            within,
        )

    def lock_of(self, pair, run, within):
        """The lock of the pair's source as a run held it, which is over."""
        path = f"/api/v1/namespaces/{self.namespace}/configmaps"

        def lock():
            return next(
                (c for c in cluster.items(path) if (c.get("data") or {}).get("bucket") == pair.buckets[0]), None
            )

        self.work.make_run(run, pair)
        held = self.until("the lock is there", lock, within)
        self.until(f"{run} has succeeded", lambda: self.result(run) == "Succeeded", within)
        self.until("the lock is given back", lambda: lock() is None, within)
        return held

    def result(self, run):
        return (self.work.run(run).get("status") or {}).get("result")

    def meet_an_orphan(self, within):
        """The lock of a bucket is held by a run that is gone; another run gets it in the end."""
        held = self.lock_of(self.orphaned, "before-orphan", within)
        cluster.create(
            f"/api/v1/namespaces/{self.namespace}/configmaps",
            {
                "metadata": {key: held["metadata"][key] for key in ("name", "labels")},
                "data": held["data"] | {"holderName": "nobody", "holderUID": "00000000-0000-0000-0000-000000000000"},
            },
        )
        self.work.make_run("after-orphan", self.orphaned)
        self.until("the next run succeeds", lambda: self.result("after-orphan") == "Succeeded", within)

    def meet_a_stranger(self, within):
        """What has the name of a lock is none; the run says so."""
        held = self.lock_of(self.strange, "before-stranger", within)
        name = held["metadata"]["name"]
        cluster.create(f"/api/v1/namespaces/{self.namespace}/configmaps", {"metadata": {"name": name}})
        self.work.make_run("after-stranger", self.strange)

        def told():
            return buckets.condition(self.work.run("after-stranger"), "LocksAcquired").get("message", "")

        self.until("the run says what is in its way", lambda: f"{name} is in the way" in told(), within)

    def lose_a_job(self, within):
        self.work.make_run("robbed", self.hanging)
        jobs = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"

        def at_work():
            run = self.work.run("robbed")
            return buckets.condition(run, "JobRunning").get("status") == "True" and run["status"]["job"]

        job = self.until("rclone is at work", at_work, within)
        locks = f"/api/v1/namespaces/{self.namespace}/configmaps"

        def lock():
            return next(
                (c for c in cluster.items(locks) if (c.get("data") or {}).get("bucket") == self.hanging.buckets[0]), None
            )

        deleted = lock()["metadata"]
        cluster.request("DELETE", f"{locks}/{deleted['name']}")
        self.until(
            "the lock is taken again", lambda: lock() and lock()["metadata"]["uid"] != deleted["uid"], within
        )
        cluster.request("DELETE", f"{jobs}/{job}", {"propagationPolicy": "Background"})
        self.until("the run has failed", lambda: self.result("robbed") == "Failed", within)

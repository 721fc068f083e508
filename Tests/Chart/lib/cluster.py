"""The cluster in KUBECONFIG, by way of `kubectl proxy`: quick requests, with an administrator's rights."""

import atexit
import contextlib
import ctypes
import functools
import json
import os
import re
import signal
import subprocess
import time
import unittest
import urllib.error
import urllib.request
import uuid

from lib import chart

KUBECTL = os.environ.get("KUBECTL", "kubectl")
GROUP = f"/apis/{chart.GROUP}/v1"

needed = unittest.skipUnless(os.environ.get("KUBECONFIG"), "KUBECONFIG names no cluster")
testbed_needed = unittest.skipUnless(os.environ.get("TESTBED_DIR"), "not on the testbed")


class Refused(Exception):
    """An answer that is none; `code` is HTTP's."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class NeverHappened(AssertionError):
    pass


def start(*command, **options):
    """A process that ends with this one, whatever ends it."""

    def die_with_parent():
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    process = subprocess.Popen(command, preexec_fn=die_with_parent, **options)
    atexit.register(stop, process)
    return process


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@functools.cache
def address():
    # Watching does not end by itself; and what kubectl's proxy would hide is wanted here.
    proxy = start(KUBECTL, "proxy", "--port=0", "--reject-paths=^$", stdout=subprocess.PIPE, text=True)
    line = proxy.stdout.readline()
    return "http://" + re.search(r"127\.0\.0\.1:\d+", line)[0]


def request(method, path, body=None, content_type="application/json"):
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(address() + path, data, {"Content-Type": content_type}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace")[:2000]) from None


def get(path):
    return request("GET", path)


def find(path):
    """The object, or None."""
    try:
        return get(path)
    except Refused as refusal:
        if refusal.code == 404:
            return None
        raise


def items(path):
    return get(path)["items"]


def create(path, body):
    return request("POST", path, body)


def patch(path, body):
    return request("PATCH", path, body, "application/merge-patch+json")


def delete(path):
    with contextlib.suppress(Refused):
        request("DELETE", path)


def until(what, condition, within=120, every=0.2):
    """What `condition` yields, once that is something."""
    deadline = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what}: not within {within} s")
        time.sleep(every)


def kubectl(*arguments, text=None):
    done = subprocess.run([KUBECTL, *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def helm(*arguments, values=None):
    """Runs the command `helm`."""
    command = [str(chart.REPOSITORY / "Tests/Chart/helm"), *arguments]
    text = None
    if values is not None:
        command += ["--values", "-"]
        text = json.dumps(values)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"helm {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


@contextlib.contextmanager
def namespace(purpose):
    """A namespace of one's own, deleted afterwards."""
    name = f"chart-{purpose}-{uuid.uuid4().hex[:6]}"
    create("/api/v1/namespaces", {"metadata": {"name": name}})
    try:
        until(f"{name} can have pods", lambda: find(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        yield name
    finally:
        forget(name)


def forget(name):
    """Deletes a namespace, and takes finalizers off that nobody is left to take off."""
    with contextlib.suppress(Refused):
        for run in items(f"{GROUP}/namespaces/{name}/bucketsyncs"):
            patch(
                f"{GROUP}/namespaces/{name}/bucketsyncs/{run['metadata']['name']}", {"metadata": {"finalizers": None}}
            )
    delete(f"/api/v1/namespaces/{name}")


def have_resource_types():
    """Makes sure that our resource types are there."""
    crds = chart.CHART / "files/crds"
    if any(
        find(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{p.stem}.{chart.GROUP}") is None
        for p in crds.iterdir()
    ):
        kubectl("apply", "--validate=false", "-f", str(crds))
    until("the resource types are served", lambda: find(GROUP))


def adopt_resource_types(release, release_namespace):
    """Has a release own resource types that were installed in another way (`helm install --take-ownership`)."""
    for path in (chart.CHART / "files/crds").iterdir():
        name = f"{path.stem}.{chart.GROUP}"
        if find(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"):
            kubectl("label", "--overwrite", "crd", name, "app.kubernetes.io/managed-by=Helm")
            kubectl(
                "annotate",
                "--overwrite",
                "crd",
                name,
                f"meta.helm.sh/release-name={release}",
                f"meta.helm.sh/release-namespace={release_namespace}",
            )


def settle_resource_types():
    """Leaves the fields of adopted resource types to who applied them last (`helm upgrade --force-conflicts`)."""
    for path in (chart.CHART / "files/crds").iterdir():
        at = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{path.stem}.{chart.GROUP}"
        managers = get(at)["metadata"]["managedFields"]
        applied = [m for m in managers if m["operation"] == "Apply" and m["manager"] != "before-first-apply"]
        patch(at, {"metadata": {"managedFields": applied[-1:]}})

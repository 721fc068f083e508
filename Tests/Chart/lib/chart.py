"""The chart under test, rendered into objects."""

import functools
import pathlib

import helm_python
import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CHART = REPOSITORY / "charts" / "bucket-sync"
RELEASE = "bucket-sync"
NAMESPACE = "operators"
GROUP = "bucket-sync.homelab-helper.benfiola.com"

# Every optional part at once.
EVERYTHING = {
    "namespace": "",
    "deployment": {"replicas": 3},
    "hooks": {"nothing.lua": "-- nothing"},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
    "dashboard": {"enabled": True},
    "networkPolicy": {"enabled": True},
}


class Loader(yaml.CSafeLoader):
    """YAML that is read as Kubernetes does: a key that is there twice is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{sorted(twice)} twice", node.start_mark)
        return super().construct_mapping(node, deep)


@functools.cache
def loaded():
    return helm_python.Chart.load(CHART)


def files(values=None, release=RELEASE, namespace=NAMESPACE):
    """The text of each template."""
    prefix = "bucket-sync/templates/"
    rendered = loaded().render(values or {}, name=release, namespace=namespace)
    return {path.removeprefix(prefix): text for path, text in rendered.items()}


def objects(values=None, release=RELEASE, namespace=NAMESPACE):
    """Every object, in the order of the templates."""
    found = []
    for path, text in sorted(files(values, release, namespace).items()):
        if not path.endswith(".txt"):
            found += [document for document in yaml.load_all(text, Loader) if document]
    return found


def find(kind, values=None, name=None, **where):
    """The only object of a kind (and name)."""
    return only(select(objects(values, **where), kind, name))


def select(all_objects, kind, name=None):
    return [o for o in all_objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]


def only(found):
    if len(found) != 1:
        raise AssertionError(f"there are {len(found)} objects, not one: {[o['metadata']['name'] for o in found]}")
    return found[0]


def container(values=None):
    return find("Deployment", values)["spec"]["template"]["spec"]["containers"][0]


def environment(values=None):
    """The controller's variables; a list, as a name may wrongly be there twice."""
    return [(variable["name"], variable.get("value")) for variable in container(values)["env"]]

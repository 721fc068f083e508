"""A thin `helm`: lint, template, install, upgrade, uninstall with Helm's own engine; flags are named as Helm's."""

import argparse
import os
import sys

import helm_python
import yaml


def values(arguments):
    """The values of -f and --set, later ones winning."""
    merged = {}
    for path in arguments.values:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            merge(merged, yaml.safe_load(file) or {})
    for expression in arguments.set:
        merge(merged, helm_python.parse_set_string(expression))
    return merged


def merge(into, other):
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def cluster(arguments):
    return helm_python.Config(kubeconfig_path=os.environ["KUBECONFIG"], namespace=arguments.namespace)


def lint(arguments):
    report = helm_python.lint(arguments.chart, values(arguments), strict=True, namespace=arguments.namespace)
    for message in report["messages"]:
        print(f"[{message['severity']}] {message['path']}: {message['error']}")
    return 1 if report.get("failed") or report.get("errors") else 0


def template(arguments):
    with helm_python.Chart.load(arguments.chart) as chart:
        files = chart.render(values(arguments), name=arguments.name, namespace=arguments.namespace)
    for path, text in sorted(files.items()):
        if text.strip() and not path.endswith("NOTES.txt"):
            print(f"---\n# Source: {path}\n{text.strip()}")


def install(arguments):
    with cluster(arguments) as config:
        release = config.install(
            arguments.chart,
            arguments.name,
            values(arguments),
            namespace=arguments.namespace,
            create_namespace=arguments.create_namespace,
            wait="watcher" if arguments.wait else None,
            timeout=arguments.timeout,
            dry_run=arguments.dry_run,
        )
    tell(release, arguments)


def upgrade(arguments):
    with cluster(arguments) as config:
        release = config.upgrade(
            arguments.chart,
            arguments.name,
            values(arguments),
            namespace=arguments.namespace,
            wait="watcher" if arguments.wait else None,
            timeout=arguments.timeout,
            dry_run=arguments.dry_run,
            reuse_values=arguments.reuse_values,
        )
    tell(release, arguments)


def tell(release, arguments):
    print(release["manifest"] if arguments.dry_run else release["notes"])


def uninstall(arguments):
    with cluster(arguments) as config:
        answer = config.uninstall(arguments.name, wait="watcher" if arguments.wait else None, timeout=arguments.timeout)
    print(answer["info"])


def parser():
    top = argparse.ArgumentParser(prog="helm", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(action, *positional, takes_values=True, writes=False):
        sub = commands.add_parser(action.__name__)
        sub.set_defaults(action=action)
        for name in positional:
            sub.add_argument(name)
        sub.add_argument("-n", "--namespace", default="default")
        if takes_values:
            sub.add_argument("-f", "--values", action="append", default=[])
            sub.add_argument("--set", action="append", default=[])
        if writes:
            sub.add_argument("--wait", action="store_true")
            sub.add_argument("--timeout", type=int, default=300, help="seconds")
        return sub

    command(lint, "chart")
    command(template, "name", "chart")
    for action in (install, upgrade):
        sub = command(action, "name", "chart", writes=True)
        sub.add_argument("--dry-run", choices=["client", "server"])
        sub.add_argument("--create-namespace" if action is install else "--reuse-values", action="store_true")
    command(uninstall, "name", takes_values=False, writes=True)
    return top


def main():
    arguments = parser().parse_args()
    try:
        return arguments.action(arguments) or 0
    except helm_python.HelmError as error:
        print(f"helm: {error}", file=sys.stderr)
        return 1


sys.exit(main())

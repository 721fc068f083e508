"""Every flag, variable, command and value is in docs/configure.md, and nothing is there that does not exist."""

import re
import unittest

import yaml

from tests import place

FLAGS = place.section("configure.md", "## Flags and environment variables")
VALUES = place.section("configure.md", "## Values of the chart")


class Flags(unittest.TestCase):
    help = place.help_text()
    options = dict(re.findall(r"^  (--[a-z-]+)(.*)$", help, re.MULTILINE))

    def test_flags_are_documented_and_exist(self):
        existing = {flag for line in self.options.items() for flag in re.findall(r"--[a-z-]+", line[0] + line[1].split("  ")[0])}
        documented = {flag for flag in place.firsts(FLAGS) if flag.startswith("--")}
        self.assertGreater(len(existing), 10)
        self.assertEqual(documented, existing - {"--version", "--help"})

    def test_variables_stand_beside_their_flags_with_the_same_default(self):
        rows = place.rows(FLAGS)
        for flag, text in self.options.items():
            if note := re.search(r"\(env: ([A-Z_]+)(?:; default: ([^)]*))?\)", text):
                variable, default = note.groups()
                with self.subTest(flag=flag):
                    self.assertIn(f"`{variable}`", rows[flag])
                    self.assertIn(default or "", rows[flag])

    def test_variables_without_a_flag_are_documented(self):
        pages = FLAGS + place.page("commands.md") + place.page("standalone.md")
        known = set(re.findall(r"`([A-Z_]+)(?:=\w+)?`", pages))
        read = set(re.findall(r"\b(LOG_[A-Z]+)\b", self.help))
        for file in (place.ROOT / "Sources").rglob("*.swift"):
            read |= set(re.findall(r'environment\["([A-Z_]+)"\]', file.read_text()))
        # Those are between Kubernetes and its clients.
        read = {name for name in read if not name.startswith("KUBERNETES_")}
        self.assertGreaterEqual(read, {"LOG_LEVEL", "LOG_FORMAT", "POD_NAME"})
        self.assertEqual(read - known, set())

    def test_commands_are_documented(self):
        listed = self.help.split("SUBCOMMANDS:")[1]
        for command in re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE):
            self.assertIn(f"`homelab-helper bucket-sync {command}", FLAGS)


class StandaloneFlags(unittest.TestCase):
    help = place.help_text("standalone")
    table = place.section("standalone.md", "## Flags")

    def test_flags_are_documented_with_variable_and_default(self):
        rows = place.rows(self.table)
        shared = {flag for flag in place.firsts(FLAGS) if flag.startswith("--")}
        options = dict(re.findall(r"^  (--[a-z-]+)(.*)$", self.help, re.MULTILINE))
        own = {flag for flag in options if flag not in ("--version", "--help")}
        documented = set(rows) & own
        # Those of plugins are the same for all ways to run the operator.
        self.assertEqual(own - documented - shared, set())
        self.assertEqual({flag for flag in place.firsts(self.table) if flag.startswith("--")} - own, set())
        for flag in documented:
            if note := re.search(r"\(env: ([A-Z_]+)(?:; default: ([^)]*))?\)", options[flag]):
                variable, default = note.groups()
                with self.subTest(flag=flag):
                    self.assertIn(f"`{variable}`", rows[flag])
                    self.assertIn((default or "").split(" in that folder")[0], rows[flag])


class Commands(unittest.TestCase):
    """The commands that docs/commands.md is about."""

    names = ["get", "describe", "trigger", "logs", "cancel"]

    def test_their_flags_are_documented_and_exist(self):
        common = place.section("commands.md", "## Where")
        for name in self.names:
            with self.subTest(command=name):
                text = place.section("commands.md", f"## {name}")
                documented = {flag for flag in re.findall(r"(--[a-z-]+)", " ".join(place.firsts(common) | place.firsts(text)))}
                existing = set(re.findall(r"--[a-z-]+", "\n".join(
                    line.split("  ")[0] for line in re.findall(r"^  (-.*)$", place.help_text(name), re.MULTILINE))))
                self.assertGreater(len(existing), 4)
                self.assertEqual(existing - {"--version", "--help", "--wait"}, documented - {"--wait"})
                examples = place.help_text(name).split("EXAMPLES")[1].split("USAGE")[0]
                self.assertIn(f"homelab-helper bucket-sync {name} ", examples + " ")


class Values(unittest.TestCase):
    values = yaml.safe_load((place.CHART / "values.yaml").read_text())
    documented = place.firsts(VALUES)

    def paths(self, values, above=""):
        for name, value in values.items():
            path = f"{above}{name}"
            # What is documented as a whole has parts that are Kubernetes', not ours.
            if isinstance(value, dict) and value and path not in self.documented:
                yield from self.paths(value, f"{path}.")
            else:
                yield path

    def test_values_are_documented_and_exist(self):
        existing = set(self.paths(self.values))
        self.assertGreater(len(existing), 50)
        self.assertEqual(self.documented, existing)

    def test_scalars_have_the_same_default(self):
        rows = place.rows(VALUES)
        for path in self.paths(self.values):
            value = self.values
            for name in path.split("."):
                value = value[name]
            if isinstance(value, (str, bool, int)) and value not in ("", None):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                self.assertIn(f"`{text}`", rows[path], path)

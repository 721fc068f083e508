"""Prometheus' rules: asking promtool, and the names of metrics in an expression."""

import os
import re
import subprocess
import tempfile

import yaml

# What is followed by a bracket or "by" and yet no metric.
NAME = re.compile(r"\b([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{")


def metrics(expression):
    """The names of the metrics in an expression; each is selected by labels, at least by its job."""
    without_texts = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    return set(NAME.findall(without_texts))


def promtool(*arguments, **files):
    """Runs promtool in a folder with these files, FILE_NAME=object; its words, if it complains."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            with open(f"{folder}/{name}.yaml", "w", encoding="utf-8") as file:
                yaml.safe_dump(content, file)
        done = subprocess.run(
            [os.environ["PROMTOOL"], *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
    return None if done.returncode == 0 else done.stdout + done.stderr

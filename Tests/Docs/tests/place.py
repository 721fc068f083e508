"""Where things are, and what is in the documentation's tables."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
CHART = ROOT / "charts/bucket-sync"
EXECUTABLE = Path(os.environ.get("HOMELAB_HELPER", ROOT / ".build/debug/homelab-helper"))


def page(name: str) -> str:
    return (DOCS / name).read_text()


def section(name: str, heading: str) -> str:
    """What is below a heading, up to the next one of its level."""
    level = len(heading.split(" ")[0])
    rest = page(name).split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{level}}} ", rest)[0]


def rows(text: str) -> dict[str, str]:
    """Rows of tables by each word in backticks in their first two cells."""
    found = {}
    for line in text.splitlines():
        if line.startswith("| "):
            for word in re.findall(r"`([^`]+)`", "|".join(line.split(" | ")[:2])):
                found[word] = line
    return found


def firsts(text: str) -> set[str]:
    """The words in backticks in the first cells of tables."""
    cells = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def help_text(*command: str) -> str:
    """The help of the command, or of one below it, with each paragraph in one line."""
    text = subprocess.run(
        [EXECUTABLE, "bucket-sync", *command, "--help"], check=True, capture_output=True, text=True, env={"COLUMNS": "1000"}
    ).stdout
    return re.sub(r"\n {10,}", " ", text)

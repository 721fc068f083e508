"""Every pod there ever was, however short."""

import subprocess
import threading

from lib import cluster


class PodsSeen:
    """Every pod of a namespace that ever was, by its UID, for as long as this is entered."""

    def __init__(self, namespace):
        self.command = [
            cluster.KUBECTL,
            "get",
            "pods",
            "--namespace",
            namespace,
            "--watch",
            "--output",
            "jsonpath={.metadata.name} {.metadata.uid}{'\\n'}",
        ]
        self.seen = set()

    def __enter__(self):
        self.process = cluster.start(*self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(
            target=lambda: self.seen.update(line.strip() for line in self.process.stdout), daemon=True
        )
        self.thread.start()
        return self

    def __exit__(self, *_):
        cluster.stop(self.process)
        self.thread.join(5)

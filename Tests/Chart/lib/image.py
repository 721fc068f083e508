"""The operator's image, as `make image` leaves it, in the testbed's containerd; and its executable."""

import functools
import os
import subprocess
import unittest

from lib import chart

ARCHIVE = chart.REPOSITORY / ".build/image/bucket-sync.tar"
EXECUTABLE = chart.REPOSITORY / ".build/image/root/usr/local/bin/homelab-helper"

needed = unittest.skipUnless(
    os.environ.get("KUBECONFIG") and os.environ.get("TESTBED_DIR") and ARCHIVE.exists(),
    "needs the testbed and the image (make image)",
)


@functools.cache
def imported():
    """Brings the image into the cluster, and returns the values of the chart that use it."""
    socket = f"{os.environ['TESTBED_DIR']}/containerd.sock"
    command = ["ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", str(ARCHIVE)]
    subprocess.run(command, check=True, capture_output=True)
    return {
        "deployment": {"image": {"repository": "bucket-sync", "tag": "dev", "pullPolicy": "Never"}},
        "rclone": {"image": os.environ["RCLONE_IMAGE"]},
    }

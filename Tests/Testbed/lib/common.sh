# What every script of the testbed shares: where things are kept, and how a step reports.
#
# Two kinds of place, kept apart on purpose:
#   the cache   dear to make, the same for every testbed on the machine: Kubernetes binaries, images, Python packages
#   the state   cheap, one per running testbed: keys, etcd's data, logs, containers; `down` leaves only its logs
# shellcheck shell=bash disable=SC2034

CACHE="${BUCKET_SYNC_CACHE:-${HOME:-/root}/.cache/bucket-sync}"
CACHE=$(readlink -m "$CACHE")
STATE="${BUCKET_SYNC_TESTBED_DIR:-$CACHE/testbed}"

# What is kept in the cache carries its version in its name, so that a new checkout never runs an old build.
KUBERNETES_VERSION=1.20.2
KUBERNETES_BIN="$CACHE/kubernetes-$KUBERNETES_VERSION-r1"
RCLONE_VERSION=1.75.2
KUBECTL_VERSION=1.36.4
RCLONE_IMAGE="docker.io/rclone/rclone:$RCLONE_VERSION"
PAUSE_IMAGE="bucket-sync.test/pause:1"
IMAGES="$CACHE/images-$RCLONE_VERSION-r2"
PYTHON_ENVIRONMENT="$CACHE/python"

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Milliseconds since the epoch, without a process.
now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# step TEXT COMMAND…: runs it in a subshell and prints one line with the time it took, also when it fails.
# Not `"$@" || status=$?`: behind `||` bash forgets `set -e` all the way down.
step() {
  local text=$1 started status
  shift
  started=$(now_ms)
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  local took=$(($(now_ms) - started))
  local mark='ok'
  [ "$status" = 0 ] || mark="failed ($status)"
  printf '%-44s %4d.%01ds  %s\n' "$text" "$((took / 1000))" "$((took % 1000 / 100))" "$mark"
  return "$status"
}

# missing_packages NAME…: those of the Debian packages that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done
}

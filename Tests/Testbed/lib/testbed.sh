# All of the library, and the lock that lets one script at a time change a testbed.
# shellcheck shell=bash disable=SC1091

LIBRARY="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
. "$LIBRARY/common.sh"

# Absolute, because processes run elsewhere and because the testbed's name in the system is made of it.
mkdir -p "$STATE"
STATE=$(readlink -f "$STATE")
# A socket's path has 107 characters at most, and the kubelet and containerd add their own.
[ "${#STATE}" -le 70 ] || die "the path $STATE is too long for sockets: set BUCKET_SYNC_TESTBED_DIR to a shorter one"

. "$LIBRARY/process.sh"
. "$LIBRARY/network.sh"
. "$LIBRARY/keys.sh"
. "$LIBRARY/components.sh"
. "$LIBRARY/environment.sh"
. "$LIBRARY/teardown.sh"

lock_testbed() {
  [ "$(id -u)" = 0 ] || die 'needs root'
  exec 8>"$STATE/lock"
  flock 8
}

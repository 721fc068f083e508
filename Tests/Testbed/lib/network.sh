# The network of pods and S3 endpoints, without a trace in the machine's own.
#
# A network namespace `bucket-sync-ID` holds a bridge. Pods are joined to it by CNI's `bridge` plugin, which
# containerd calls inside that namespace; each S3 endpoint sits in a namespace `bucket-sync-ID-NAME` joined to it too.
# So nothing leaves the testbed, the machine's firewall has no say, and two testbeds can use the same addresses.
#
#   ip netns exec bucket-sync-ID COMMAND    runs a command where it can reach pods and endpoints
# shellcheck shell=bash

ID=$(printf '%s' "$STATE" | sha256sum | cut -c1-8)
SWITCH="bucket-sync-$ID"
ENDPOINTS=(a b c)
declare -A ENDPOINT_ADDRESS=([a]=10.77.0.11 [b]=10.77.0.12 [c]=10.77.0.13)
ENDPOINT_PORT=9000

make_network() {
  ip netns add "$SWITCH"
  ip -n "$SWITCH" link set lo up
  ip -n "$SWITCH" link add pods type bridge
  ip -n "$SWITCH" address add 10.77.0.1/16 dev pods
  ip -n "$SWITCH" link set pods up
  local name namespace
  for name in "${ENDPOINTS[@]}"; do
    namespace="$SWITCH-$name"
    ip netns add "$namespace"
    ip -n "$namespace" link set lo up
    ip -n "$SWITCH" link add "s3-$name" type veth peer name eth0 netns "$namespace"
    ip -n "$SWITCH" link set "s3-$name" master pods up
    ip -n "$namespace" address add "${ENDPOINT_ADDRESS[$name]}/16" dev eth0
    ip -n "$namespace" link set eth0 up
  done

  # What containerd calls for a pod: the plugins as they are, run inside the switch.
  mkdir -p "$STATE/cni/bin" "$STATE/cni/conf" "$STATE/cni/addresses"
  printf '#!/bin/sh\nexec nsenter --net=/run/netns/%s /usr/lib/cni/bridge\n' "$SWITCH" >"$STATE/cni/bin/bridge"
  chmod 755 "$STATE/cni/bin/bridge"
  ln -sf /usr/lib/cni/host-local /usr/lib/cni/loopback "$STATE/cni/bin/"
  cat >"$STATE/cni/conf/10-pods.conflist" <<JSON
{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [{
    "type": "bridge",
    "bridge": "pods",
    "isGateway": false,
    "ipMasq": false,
    "ipam": {
      "type": "host-local",
      "dataDir": "$STATE/cni/addresses",
      "ranges": [[{"subnet": "10.77.0.0/16", "rangeStart": "10.77.1.1", "rangeEnd": "10.77.250.250"}]]
    }
  }]
}
JSON
}

remove_network() {
  local namespace
  for namespace in "${ENDPOINTS[@]/#/$SWITCH-}" "$SWITCH"; do
    [ ! -e "/run/netns/$namespace" ] || ip netns del "$namespace"
  done
}

start_endpoint() {
  local name=$1
  local directory="$STATE/s3/$name"
  mkdir -p "$directory"
  # What a test writes straight into the directory is seen after 50 ms at most. (At 0 rclone spins: it cleans its cache
  # after twice that time, again and again.) A PUT is renamed into place when it is complete.
  start_process "s3-$name" \
    nsenter "--net=/run/netns/$SWITCH-$name" \
    env HOME="$STATE" RCLONE_CONFIG=/dev/null RCLONE_AUTH_KEY="\"$(endpoint_access_key "$name"),$(endpoint_secret_key "$name")\"" \
    "$PYTHON_ENVIRONMENT/bin/rclone" serve s3 --addr "${ENDPOINT_ADDRESS[$name]}:$ENDPOINT_PORT" \
    --vfs-cache-mode off --dir-cache-time 50ms --log-level INFO "$directory"
}

# Throw-away keys, told apart at a glance in a log.
endpoint_access_key() { printf 'TESTBEDACCESS%s' "${1^^}"; }
endpoint_secret_key() { printf 'testbed-secret-of-endpoint-%s' "$1"; }

await_endpoint() { wait_until "s3-$1" 20 endpoint_answers "$1"; }
endpoint_answers() {
  nsenter "--net=/run/netns/$SWITCH-$1" \
    curl -s -o /dev/null --max-time 2 "http://${ENDPOINT_ADDRESS[$1]}:$ENDPOINT_PORT/"
}

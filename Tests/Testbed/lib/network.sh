# The network of the node, its pods and the S3 endpoints, without a trace in the machine's own.
#
# A network namespace `bucket-sync-ID` is the node's: containerd and the kubelet live in it, so that probes reach pods.
# It holds a bridge to which CNI's `bridge` plugin joins the pods; each S3 endpoint sits in a namespace
# `bucket-sync-ID-NAME` joined to it too. So nothing leaves the testbed, the machine's firewall has no say, and two
# testbeds can use the same addresses.
#
# The control plane is on the machine's loopback. Two relays cross over, each a pair of socats with a socket file in
# between: pods and the kubelet find the API server at its service address, and the API server finds the kubelet.
#
#   ip netns exec bucket-sync-ID COMMAND    runs a command where it can reach pods and endpoints
# shellcheck shell=bash

ID=$(printf '%s' "$STATE" | sha256sum | cut -c1-8)
SWITCH="bucket-sync-$ID"
ENDPOINTS=(a b c)
declare -A ENDPOINT_ADDRESS=([a]=10.77.0.11 [b]=10.77.0.12 [c]=10.77.0.13)
ENDPOINT_PORT=9000
# Where every cluster's pods expect the API server: the first of the service addresses.
APISERVER_ADDRESS=10.96.0.1
RELAYS=(relay-apiserver relay-apiserver-node relay-kubelet relay-kubelet-node)

make_network() {
  ip netns add "$SWITCH"
  ip -n "$SWITCH" link set lo up
  ip -n "$SWITCH" address add "$APISERVER_ADDRESS/32" dev lo
  # An address of its own: otherwise a bridge takes the lowest of its ports', and whenever that pod goes, all others send
  # what is meant for the API server to nobody for half a minute.
  ip -n "$SWITCH" link add pods address 0a:4d:00:00:00:01 type bridge
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

  # What containerd calls for a pod.
  mkdir -p "$STATE/cni/bin" "$STATE/cni/conf" "$STATE/cni/addresses"
  ln -sf /usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/loopback "$STATE/cni/bin/"
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
      "ranges": [[{"subnet": "10.77.0.0/16", "rangeStart": "10.77.1.1", "rangeEnd": "10.77.250.250"}]],
      "routes": [{"dst": "$APISERVER_ADDRESS/32", "gw": "10.77.0.1"}]
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

start_relays() {
  local apiserver="$STATE/apiserver.sock" kubelet="$STATE/kubelet.sock"
  start_process relay-apiserver socat "UNIX-LISTEN:$apiserver,fork,unlink-early" "TCP:127.0.0.1:$PORT_APISERVER"
  start_process relay-apiserver-node nsenter "--net=/run/netns/$SWITCH" \
    socat "TCP-LISTEN:443,bind=$APISERVER_ADDRESS,fork,reuseaddr,backlog=128" "UNIX-CONNECT:$apiserver"
  start_process relay-kubelet socat "TCP-LISTEN:$PORT_KUBELET,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$kubelet"
  start_process relay-kubelet-node nsenter "--net=/run/netns/$SWITCH" \
    socat "UNIX-LISTEN:$kubelet,fork,unlink-early" "TCP:127.0.0.1:$PORT_KUBELET"
}
await_relays() {
  wait_until relay-apiserver 20 test -S "$STATE/apiserver.sock"
  wait_until relay-kubelet-node 20 test -S "$STATE/kubelet.sock"
  wait_until relay-kubelet 20 owns_port relay-kubelet "$PORT_KUBELET"
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

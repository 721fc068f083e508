# How each part of the cluster is started, and what tells that it is ready. `up` starts them all, `restart` one of them,
# with the same arguments: these are read from $STATE alone.
#
# Tuning is for tests: many small Jobs, one node, no history worth keeping. Clients inside the cluster are not throttled,
# there is one replica of everything and so no leader election, and etcd does not wait for the disk.
# shellcheck shell=bash

# load_ports: the PORT_… variables.
load_ports() {
  # shellcheck source=/dev/null
  . "$STATE/ports"
}

ask_apiserver() {
  curl -sf --max-time 5 --cacert "$STATE/keys/ca.crt" --cert "$STATE/keys/admin.crt" --key "$STATE/keys/admin.key" \
    "https://127.0.0.1:$PORT_APISERVER$1" "${@:2}"
}

# ---- etcd

start_etcd() {
  start_process etcd env ETCD_UNSUPPORTED_ARCH= etcd --name testbed --data-dir "$STATE/etcd" --unsafe-no-fsync \
    --listen-client-urls "http://127.0.0.1:$PORT_ETCD" --advertise-client-urls "http://127.0.0.1:$PORT_ETCD" \
    --listen-peer-urls "http://127.0.0.1:$PORT_ETCD_PEER" \
    --initial-advertise-peer-urls "http://127.0.0.1:$PORT_ETCD_PEER" \
    --initial-cluster "testbed=http://127.0.0.1:$PORT_ETCD_PEER" \
    --log-level warn --logger zap
}
etcd_is_healthy() { curl -sf --max-time 2 "http://127.0.0.1:$PORT_ETCD/health" | grep -q '"true"'; }
await_etcd() {
  wait_until etcd 30 owns_port etcd "$PORT_ETCD"
  wait_until etcd 30 etcd_is_healthy
}

# ---- kube-apiserver

start_apiserver() {
  cat >"$STATE/audit-policy.yaml" <<'YAML'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
YAML
  # It must be there first: a log that the apiserver makes itself is not opened for appending, and a test that empties
  # it would leave a hole of zeroes.
  touch "$STATE/logs/audit.log"
  # shellcheck disable=SC2086 # several flags, or none
  start_process apiserver "$KUBERNETES_BIN/kube-apiserver" \
    --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$PORT_APISERVER" --endpoint-reconciler-type none \
    --etcd-servers "http://127.0.0.1:$PORT_ETCD" --storage-media-type application/vnd.kubernetes.protobuf \
    --tls-cert-file "$STATE/keys/apiserver.crt" --tls-private-key-file "$STATE/keys/apiserver.key" \
    --client-ca-file "$STATE/keys/ca.crt" --authorization-mode Node,RBAC --cert-dir "$STATE/keys/apiserver" \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-signing-key-file "$STATE/keys/service-accounts.key" \
    --service-account-key-file "$STATE/keys/service-accounts.key" \
    --service-cluster-ip-range 10.96.0.0/16 \
    --kubelet-client-certificate "$STATE/keys/apiserver-to-kubelet.crt" \
    --kubelet-client-key "$STATE/keys/apiserver-to-kubelet.key" --kubelet-preferred-address-types InternalIP \
    --audit-policy-file "$STATE/audit-policy.yaml" --audit-log-path "$STATE/logs/audit.log" --audit-log-maxsize 4096 \
    --max-requests-inflight 2000 --max-mutating-requests-inflight 1000 --profiling=false \
    ${BUCKET_SYNC_APISERVER_FLAGS:-}
}
apiserver_is_ready() { [ "$(ask_apiserver /readyz)" = ok ]; }
await_apiserver() {
  wait_until apiserver 60 owns_port apiserver "$PORT_APISERVER"
  wait_until apiserver 60 apiserver_is_ready
}

# ---- kube-controller-manager

start_controller_manager() {
  start_process controller-manager "$KUBERNETES_BIN/kube-controller-manager" \
    --kubeconfig "$STATE/keys/controller-manager.kubeconfig" --use-service-account-credentials \
    --authentication-kubeconfig "$STATE/keys/controller-manager.kubeconfig" \
    --authorization-kubeconfig "$STATE/keys/controller-manager.kubeconfig" \
    --bind-address 127.0.0.1 --secure-port "$PORT_CONTROLLER_MANAGER" --port 0 --cert-dir "$STATE/keys/controller-manager" \
    --service-account-private-key-file "$STATE/keys/service-accounts.key" --root-ca-file "$STATE/keys/ca.crt" \
    --leader-elect=false --kube-api-qps 1000 --kube-api-burst 2000 \
    --concurrent-namespace-syncs 20 --node-monitor-period 1s --terminated-pod-gc-threshold 500 --profiling=false
}
answers_healthz() { [ "$(curl -sk --max-time 2 "https://127.0.0.1:$1/healthz")" = ok ]; }
has_default_service_account() { ask_apiserver /api/v1/namespaces/default/serviceaccounts/default; }
await_controller_manager() {
  wait_until controller-manager 30 owns_port controller-manager "$PORT_CONTROLLER_MANAGER"
  wait_until controller-manager 30 answers_healthz "$PORT_CONTROLLER_MANAGER"
  wait_until controller-manager 30 has_default_service_account
}

# ---- kube-scheduler

start_scheduler() {
  start_process scheduler "$KUBERNETES_BIN/kube-scheduler" \
    --kubeconfig "$STATE/keys/scheduler.kubeconfig" \
    --authentication-kubeconfig "$STATE/keys/scheduler.kubeconfig" \
    --authorization-kubeconfig "$STATE/keys/scheduler.kubeconfig" \
    --bind-address 127.0.0.1 --secure-port "$PORT_SCHEDULER" --port 0 --cert-dir "$STATE/keys/scheduler" \
    --leader-elect=false --kube-api-qps 1000 --kube-api-burst 2000 --profiling=false
}
await_scheduler() {
  wait_until scheduler 30 owns_port scheduler "$PORT_SCHEDULER"
  wait_until scheduler 30 answers_healthz "$PORT_SCHEDULER"
}

# ---- containerd and its world

# The kubelet insists on giving a control group for all pods its limits, though without QoS groups it puts no pod into it.
# Better one of the testbed's own than the root.
make_groups() {
  local hierarchy
  for hierarchy in memory cpu pids hugetlb; do
    [ ! -d "/sys/fs/cgroup/$hierarchy" ] || mkdir -p "/sys/fs/cgroup/$hierarchy/$SWITCH"
  done
}

# containerd, its shims and the kubelet live in the node's network and in one mount namespace of the testbed's own. What
# they insist on keeping at fixed places of the machine (/run/containerd, /var/log/pods) is the testbed's own there, and
# every mount they make ends with the last of them.
# shellcheck disable=SC2016
NODE_WORLD='
set -e
state=$1; shift
mount -n -t tmpfs -o mode=755 testbed-run "$state/run.new"
mount -n --move "$state/run.new" /run
mkdir -p "$state/logs/node" && mount -n --bind "$state/logs/node" /var/log
# The kubelet sets these for the whole machine unless they are as it wants them. It is shown a copy.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  copy="$state/sysctl/${setting%%=*}"
  mkdir -p "${copy%/*}" && echo "${setting#*=}" >"$copy"
  [ ! -e "/proc/sys/${setting%%=*}" ] || mount -n --bind "$copy" "/proc/sys/${setting%%=*}"
done
exec "$@"
'

start_containerd() {
  make_groups
  mkdir -p "$STATE/containerd" "$STATE/run.new"
  cat >"$STATE/containerd.toml" <<TOML
version = 2
root = "$STATE/containerd/root"
state = "$STATE/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "$STATE/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$STATE/cni/bin"
    conf_dir = "$STATE/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
TOML
  # No registry is ever asked, through a proxy that is not there: an image that was not imported fails at once.
  start_process containerd nsenter "--net=/run/netns/$SWITCH" unshare --mount --propagation private \
    env HTTP_PROXY=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1 NO_PROXY= http_proxy= https_proxy= no_proxy= \
    bash -c "$NODE_WORLD" node-world "$STATE" containerd --config "$STATE/containerd.toml"
}
in_containerd() { ctr --address "$STATE/containerd.sock" --namespace k8s.io "$@"; }
await_containerd() {
  wait_until containerd 30 in_containerd version
  local image
  for image in pause rclone; do
    in_containerd images import "$IMAGES/$image.tar" >>"$STATE/logs/containerd.log"
  done
}

# ---- kubelet

# It spends its first 5 s looking for a docker that is not there, so `up` starts it before the apiserver is ready.
#
# It refuses a loopback address for its node, so it is told that a cloud provider will set the address, and `adopt_node`
# is that provider: with the address the apiserver finds the way to the kubelet, and `kubectl logs` works.
start_kubelet() {
  mkdir -p "$STATE/kubelet"
  cat >"$STATE/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: $PORT_KUBELET
healthzBindAddress: 127.0.0.1
healthzPort: $PORT_KUBELET_HEALTH
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $STATE/keys/ca.crt}}
authorization: {mode: AlwaysAllow}
volumePluginDir: $STATE/kubelet/volume-plugins
cgroupDriver: cgroupfs
cgroupsPerQOS: false
cgroupRoot: /$SWITCH
enforceNodeAllocatable: []
failSwapOn: false
makeIPTablesUtilChains: false
oomScoreAdj: 0
maxPods: 250
evictionHard: {memory.available: 1Mi, nodefs.available: 1Mi, imagefs.available: 1Mi}
imageGCHighThresholdPercent: 100
kubeAPIQPS: 1000
kubeAPIBurst: 2000
eventRecordQPS: 0
registryPullQPS: 0
serializeImagePulls: false
syncFrequency: 10s
nodeStatusUpdateFrequency: 1s
nodeStatusReportFrequency: 1m
resolvConf: ""
clusterDNS: [10.77.0.1]
clusterDomain: cluster.local
featureGates: {DevicePlugins: false, KubeletPodResources: false}
YAML
  # Its clients for clouds must not look for one: no traffic leaves the machine.
  start_process kubelet nsenter --mount --net --target "$(pid_of containerd)" env AWS_EC2_METADATA_DISABLED=true \
    "$KUBERNETES_BIN/kubelet" --containerd "$STATE/containerd.sock" --config "$STATE/kubelet.yaml" --kubeconfig "$STATE/keys/kubelet.kubeconfig" \
    --root-dir "$STATE/kubelet" --cert-dir "$STATE/keys/kubelet" --hostname-override testbed --cloud-provider external \
    --container-runtime remote --container-runtime-endpoint "unix://$STATE/containerd.sock"
}
adopt_node() {
  ask_apiserver /api/v1/nodes/testbed/status -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{
    "status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": "testbed"}]}
  }' && ask_apiserver /api/v1/nodes/testbed -X PATCH -H 'Content-Type: application/merge-patch+json' \
    -d '{"spec": {"taints": null}}'
}
node_is_ready() {
  ask_apiserver /api/v1/nodes/testbed | jq -e '
    (.spec.taints // [] | length) == 0 and any(.status.conditions[]; .type == "Ready" and .status == "True")'
}
await_kubelet() {
  wait_until kubelet 30 owns_port kubelet "$PORT_KUBELET" nsenter "--net=/run/netns/$SWITCH"
  wait_until kubelet 30 adopt_node
  wait_until kubelet 60 node_is_ready
}

# What a running testbed tells tests and people: $STATE/env, lines of NAME=value for a shell to source.
# shellcheck shell=bash

find_kubectl() { command -v kubectl || printf '%s' "$PYTHON_ENVIRONMENT/bin/kubectl"; }

print_environment() {
  local name
  variable() { printf '%s=%q\n' "$1" "$2"; }
  variable TESTBED_DIR "$STATE"
  variable KUBECONFIG "$STATE/keys/admin.kubeconfig"
  variable CA_CERTIFICATE "$STATE/keys/ca.crt"
  variable AUDIT_LOG "$STATE/logs/audit.log"
  variable RCLONE_IMAGE "$RCLONE_IMAGE"
  variable KUBECTL "$(find_kubectl)"
  variable RCLONE "$PYTHON_ENVIRONMENT/bin/rclone"
  variable NETWORK_NAMESPACE "$SWITCH"
  for name in "${ENDPOINTS[@]}"; do
    variable "S3_${name^^}_ENDPOINT" "http://${ENDPOINT_ADDRESS[$name]}:$ENDPOINT_PORT"
    variable "S3_${name^^}_ACCESS_KEY" "$(endpoint_access_key "$name")"
    variable "S3_${name^^}_SECRET_KEY" "$(endpoint_secret_key "$name")"
    variable "S3_${name^^}_DIRECTORY" "$STATE/s3/$name"
    variable "S3_${name^^}_PID" "$(pid_of "s3-$name")"
  done
  for name in apiserver etcd controller-manager scheduler kubelet containerd; do
    local upper=${name^^}
    variable "${upper//-/_}_PID" "$(pid_of "$name")"
  done
}

# Written aside and renamed: a reader never sees half of it.
write_environment() {
  print_environment >"$STATE/env.new"
  mv "$STATE/env.new" "$STATE/env"
}

# The throw-away certificate authority of a testbed and the identities it vouches for. In a client certificate the
# common name is the user and each organisation a group of Kubernetes.
# shellcheck shell=bash

# certify NAME SUBJECT EXTENSIONS
certify() {
  local name=$1 subject=$2 extensions=$3 keys="$STATE/keys"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
    -keyout "$keys/$name.key" -out "$keys/$name.csr" -subj "$subject"
  openssl x509 -req -sha256 -days 30 -in "$keys/$name.csr" -out "$keys/$name.crt" \
    -CA "$keys/ca.crt" -CAkey "$keys/ca.key" -set_serial "0x$(openssl rand -hex 8)" -extfile <(printf '%s\n' "$extensions")
  rm "$keys/$name.csr"
}

client() { certify "$1" "$2" 'extendedKeyUsage=clientAuth'; }

make_keys() {
  mkdir -p "$STATE/keys"
  chmod 700 "$STATE/keys"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30 \
      -keyout "$STATE/keys/ca.key" -out "$STATE/keys/ca.crt" -subj "/CN=bucket-sync testbed $ID"
    openssl ecparam -name prime256v1 -genkey -noout -out "$STATE/keys/service-accounts.key"
    certify apiserver /CN=kube-apiserver 'extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc'
    client admin /O=system:masters/CN=admin
    client apiserver-to-kubelet /O=system:masters/CN=kube-apiserver
    client controller-manager /CN=system:kube-controller-manager
    client scheduler /CN=system:kube-scheduler
    client kubelet /O=system:nodes/CN=system:node:testbed
  } >"$STATE/logs/keys.log" 2>&1 || {
    cat "$STATE/logs/keys.log" >&2
    return 1
  }
  local name
  for name in admin controller-manager scheduler; do
    write_kubeconfig "$name" "127.0.0.1:$PORT_APISERVER" >"$STATE/keys/$name.kubeconfig"
  done
  write_kubeconfig kubelet "$APISERVER_ADDRESS" >"$STATE/keys/kubelet.kubeconfig"
}

# write_kubeconfig USER SERVER
write_kubeconfig() {
  local keys="$STATE/keys"
  cat <<YAML
apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster:
    server: https://$2
    certificate-authority-data: $(base64 -w0 "$keys/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$keys/$1.crt")
    client-key-data: $(base64 -w0 "$keys/$1.key")
contexts:
- name: testbed
  context:
    cluster: testbed
    user: $1
current-context: testbed
YAML
}

# How a testbed is taken down, whole or half-dead: everything is found by a mark that only this testbed bears, never by
# a name that somebody else's process may have too.
# shellcheck shell=bash

# testbed_groups: the control groups of this testbed in every hierarchy. A container's bears its id, and containerd keeps
# a directory by that id for as long as the container may run.
testbed_groups() {
  local tasks="$STATE/containerd/state/io.containerd.runtime.v2.task/k8s.io" group
  while read -r group; do
    [ ! -d "$tasks/${group##*/}" ] || printf '%s\n' "$group"
  done < <(find /sys/fs/cgroup -mindepth 2 -maxdepth 3 -type d -path '*/k8s.io/*' 2>/dev/null)
  find /sys/fs/cgroup -maxdepth 2 -type d -name "$SWITCH" 2>/dev/null || true
}

stop_containers() {
  local group file pid
  for _ in {1..100}; do
    local left=
    while read -r group; do
      while read -r file; do
        while read -r pid; do
          # 0 stands for a process of another pid namespace: not ours to see, so not ours.
          [ "$pid" != 0 ] || continue
          left=yes
          kill -KILL "$pid" 2>/dev/null || true
        done < <(cat "$file" 2>/dev/null)
      done < <(find "$group" -name cgroup.procs 2>/dev/null) # groups vanish meanwhile
    done < <(testbed_groups)
    [ -n "$left" ] || break
    sleep 0.05
  done
}

# Shims outlive containerd by design. They name its socket, which is ours alone, on their command line.
stop_shims() {
  local file pid started
  local -a words
  for file in /proc/[0-9]*/cmdline; do
    mapfile -d '' -t words 2>/dev/null <"$file" || continue
    [[ "${words[0]:-}" == *containerd-shim-runc-v2 && " ${words[*]} " == *" -address $STATE/containerd.sock "* ]] || continue
    pid=${file#/proc/}
    pid=${pid%/cmdline}
    kill -KILL "$pid" 2>/dev/null || true
    for _ in {1..100}; do
      started=$(started_at "$pid")
      [ -n "$started" ] || break
      sleep 0.05
    done
  done
}

remove_groups() {
  local group
  while read -r group; do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done < <(testbed_groups)
  # The parent is every testbed's: it goes with the last one.
  find /sys/fs/cgroup -maxdepth 2 -type d -name k8s.io -exec rmdir --ignore-fail-on-non-empty {} + 2>/dev/null || true
}

# Mounts: they ended with the testbed's mount namespace. What is left was made in the machine's own by hand.
remove_mounts() {
  local target
  while read -r target; do
    umount -l "$target" 2>/dev/null || true
  done < <(awk -v state="$STATE/" 'index($5, state) == 1 {print $5}' /proc/self/mountinfo | sort -r)
}

# abandon: stops an `up` half-way. Its steps in the background see the mark, start nothing more and give up waiting.
abandon() {
  touch "$STATE/abandoned"
  wait
}

# take_down: leaves the state directory with the logs of the last time only.
take_down() {
  local name
  stop_process kubelet
  stop_containers
  stop_shims
  stop_process containerd
  stop_containers
  stop_shims
  for name in scheduler controller-manager apiserver etcd; do
    stop_process "$name" 1 &
  done
  for name in "${ENDPOINTS[@]/#/s3-}" "${RELAYS[@]}"; do
    stop_process "$name" &
  done
  wait
  remove_network
  remove_groups
  remove_mounts
  # lock and logs stay
  local entry
  for entry in "$STATE"/*; do
    case ${entry##*/} in
    lock | logs | '*') ;;
    *) rm -rf --one-file-system "$entry" ;;
    esac
  done
}

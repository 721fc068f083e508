# Processes of a testbed: how one is started, recognised and stopped.
#
# A process is known by its pid together with the boot and the time it was started at, kept in $STATE/processes/NAME. A pid
# that the system has given to somebody else since has another start, so it is never signalled.
# shellcheck shell=bash

BOOT=$(cat /proc/sys/kernel/random/boot_id)

# When a process was started, in ticks since which boot; nothing when there is no such process or it is a zombie.
started_at() {
  local line fields
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  # The second field is a name that may hold spaces and brackets: count from behind the last bracket.
  read -r -a fields <<<"${line##*) }"
  [ "${fields[0]}" = Z ] || printf '%s@%s' "${fields[19]}" "$BOOT"
}

# pid_of NAME: the pid if it is alive; fails otherwise.
pid_of() {
  local pid started
  read -r pid started 2>/dev/null <"$STATE/processes/$1" || return 1
  [ -n "$started" ] && [ "$(started_at "$pid")" = "$started" ] || return 1
  printf '%s' "$pid"
}

# start_process NAME COMMAND…: in a session of its own, with no descriptor of the caller's, logging to $STATE/logs/NAME.log.
# COMMAND may be a chain of programs that replace themselves (nsenter, unshare), so that the pid stays the same.
start_process() {
  local name=$1 pid
  shift
  [ ! -e "$STATE/abandoned" ] || return 1
  (
    cd /
    # Locks, pipes and terminals of the caller must not live as long as the process.
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
    done
    setsid "$@" </dev/null >>"$STATE/logs/$name.log" 2>&1 &
    printf '%s' "$!" >"$STATE/processes/$name.pid"
  )
  pid=$(cat "$STATE/processes/$name.pid")
  rm -f "$STATE/processes/$name.pid"
  printf '%s %s\n' "$pid" "$(started_at "$pid")" >"$STATE/processes/$name"
}

# stop_process NAME [SECONDS]: asks, waits 5 s or as told, then kills. Quiet about a process that is not there.
stop_process() {
  local name=$1 grace=$((${2:-5} * 20)) pid tries=0
  if pid=$(pid_of "$name"); then
    kill -TERM "$pid" 2>/dev/null || true
    kill -CONT "$pid" 2>/dev/null || true
    while pid_of "$name" >/dev/null; do
      tries=$((tries + 1))
      [ "$tries" -ne "$grace" ] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.05
    done
  fi
  rm -f "$STATE/processes/$name"
}

# wait_until NAME SECONDS COMMAND…: until the command succeeds. Gives up when process NAME ends or time is out, and shows
# the end of its log.
wait_until() {
  local name=$1 deadline=$((SECONDS + $2)) reason
  shift 2
  until "$@" >/dev/null 2>&1; do
    reason=
    [ ! -e "$STATE/abandoned" ] || return 1
    pid_of "$name" >/dev/null || reason='ended'
    [ "$SECONDS" -lt "$deadline" ] || reason='is not ready in time'
    if [ -n "$reason" ]; then
      {
        say "$name $reason; waited for: $*"
        say "--- the end of $STATE/logs/$name.log"
        tail -n 25 "$STATE/logs/$name.log"
        say '---'
      } >&2
      return 1
    fi
    sleep 0.1
  done
}

# Ports on loopback. They are drawn below the range from which the kernel hands out its own, and checked twice: to be
# free before anything starts, and to be held by the right process afterwards. Otherwise two testbeds could share an
# etcd and never notice.
draw_ports() {
  local name port taken=' '
  for name in "$@"; do
    while :; do
      port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
      [[ "$taken" != *" $port "* ]] && [ -z "$(ss -Htan "sport = :$port")" ] && break
    done
    taken+="$port "
    printf '%s=%s\n' "$name" "$port"
  done
}

# owns_port NAME PORT [COMMAND…]: COMMAND is how to look where the process is, if that is another network.
owns_port() {
  local pid
  pid=$(pid_of "$1") && [[ "$("${@:3}" ss -Htlnp "sport = :$2")" == *"pid=$pid,"* ]]
}

# Two or more hosts on one machine: network namespaces joined by a switch of their own, each with its own host name. Sourced by
# tests. hosts_begin [COUNT] (2) skips the test (exit code 77) with the reason when the rights or tools are missing; hosts_mpirun
# RANKS COMMAND... deals the ranks to the hosts in turn; hosts_sent K is how many bytes host K (1, 2 ...) has put on the wire.
tag=$$
hosts=2
relays=

hosts_skip() {
  echo "skipped: $1" >&2
  exit 77
}

host_name() { echo seq$1-$tag; } # 0: the switch

hosts_end() {
  local space
  [ -z "$relays" ] || kill $relays 2>/dev/null
  for space in $(ip netns list | grep -Eo "^seq[0-9]+-$tag\>"); do
    ip netns del "$space"
  done
  rm -rf "$work"
}

host_connect() {
  local host=$1 name switch
  name=$(host_name $host) switch=$(host_name 0)
  ip netns add $name || hosts_skip "a network namespace cannot be made"
  ip link add wire netns $name type veth peer name port$host netns $switch || hosts_skip "a veth pair cannot be made (kernel module)"
  host_address $host
}

host_address() {
  ip -n "$(host_name 0)" link set port$1 master switch up
  ip -n "$(host_name $1)" addr add 10.77.0.$1/24 dev wire
  ip -n "$(host_name $1)" link set wire up
  ip -n "$(host_name $1)" link set lo up
}

hosts_begin() {
  local host
  hosts=${1:-2}
  command -v ip >/dev/null || hosts_skip "the command ip is missing (package iproute2)"
  ip netns add "$(host_name 0)" 2>/dev/null || hosts_skip "network namespaces cannot be made here (needs root and CAP_SYS_ADMIN)"
  trap hosts_end EXIT
  ip -n "$(host_name 0)" link add switch type bridge || hosts_skip "a bridge cannot be made (kernel module)"
  ip -n "$(host_name 0)" link set switch up
  for ((host = 1; host <= hosts; host++)); do
    host_connect $host
  done
  # As ssh: no way from one host to another while the link of either is down. (Who calls from outside of the hosts sits at the console.)
  printf '%s\n' '#!/bin/bash' 'host=$1' 'shift' "space=seq\${host##*.}-$tag" 'here=$(ip netns identify)' \
    'for end in $here $space; do' \
    'if [ -n "$here" ] && [ "$here" != "$space" ] && ! ip -n $end link show wire | grep -q LOWER_UP; then echo "$host: no route to host" >&2; exit 255; fi' \
    'done' \
    'exec ip netns exec $space unshare --uts sh -c "hostname $space; $*"' >"$work/agent"
  chmod 755 "$work/agent"
}

# What launchers are told about these hosts.
hosts_words=(direct network 10.77.0.0/24 wire sockets)

# hosts_mpirun RANKS [set NAME=VALUE]... COMMAND...
hosts_mpirun() {
  local ranks=$1 code=0 slots host list= settings=() codes=$work/.codes.$BASHPID.$RANDOM
  shift
  slots=$(((ranks + hosts - 1) / hosts))
  for ((host = 1; host <= hosts; host++)); do
    list+=${list:+,}10.77.0.$host:$slots
  done
  while [ "$1" = set ]; do
    settings+=(set "$2")
    shift 2
  done
  mpi_command "$ranks" on "$list" deal agent "$work/agent" "${hosts_words[@]}" pass ASAN_OPTIONS ${settings[@]+"${settings[@]}"}
  with_mpi "$work/agent" 10.77.0.1 "cd '$work' && ${launch[*]@Q} $*" || code=$?
  code=$(rank_code "$codes" $code)
  rm -f "$codes"
  return "$code"
}

hosts_sent() {
  ip netns exec "$(host_name $1)" cat /sys/class/net/wire/statistics/tx_bytes
}

# host_cut K, host_mend K: its link goes down and up again. host_lose K: all its processes are killed, its link is down.
host_cut() { ip -n "$(host_name 0)" link set port$1 down; }
host_mend() { ip -n "$(host_name 0)" link set port$1 up; }

# hosts_settle: after a repair, no host remembers an address that it asked for in vain (a new connection would be refused for a second).
hosts_settle() {
  local host
  for ((host = 1; host <= hosts; host++)); do
    ip -n "$(host_name $host)" neigh flush dev wire
  done
}

host_lose() {
  local processes
  processes=$(ip netns pids "$(host_name $1)")
  [ -z "$processes" ] || kill -KILL $processes
  host_cut $1
}

# hosts_run COMMAND...: on host $here (1). hosts_file [K...] writes `hosts.txt` with two slots on each (all hosts by default).
hosts_run() { "$work/agent" "10.77.0.${here:-1}" "cd '$work' && $*"; }

hosts_file() {
  local host
  [ $# -gt 0 ] || set -- $(seq $hosts)
  for host in "$@"; do
    echo "10.77.0.$host slots=2"
  done >hosts.txt
}

# hosts_supervised OPTION... -- COMMAND...: launch/run.sh on host $here (1) for the hosts of hosts.txt.
hosts_supervised() {
  local options= plain
  launcher_command 1
  plain=${#launch[@]}
  launcher_command 1 "${hosts_words[@]}"
  while [ "$1" != -- ]; do
    options+=" $1"
    shift
  done
  shift
  with_mpi hosts_run "exec '$SOURCE/launch/run.sh' --hosts hosts.txt --agent '$work/agent' $options --mpi ${launch[*]:plain} -- $*"
}

# hosts_slow K MS KBIT: the link of host K gets a delay and a rate, by netem; where the kernel has none, by a process that carries the
# frames (slow_link.c). Says which.
hosts_slow() {
  local reason
  if reason=$(tc -n "$(host_name $1)" qdisc add dev wire root netem delay "$2ms" rate "$3kbit" 2>&1) &&
    reason=$(tc -n "$(host_name 0)" qdisc add dev port$1 root netem delay "$2ms" rate "$3kbit" 2>&1); then
    echo "host $1: a link with $2 ms and $3 kbit/s, by netem" >&2
    return
  fi
  echo "host $1: no netem here (${reason:-tc is missing}): a process carries the link" >&2
  ip -n "$(host_name $1)" link del wire
  coproc relay { exec "$BUILD/tests/support/slow_link" "$(host_name $1)" wire "$(host_name 0)" port$1 "$2" "$3"; }
  relays+=" $relay_PID"
  read -r -u "${relay[0]}" || hosts_skip "neither netem nor taps (/dev/net/tun) here: links cannot be made slow"
  host_address $1
}

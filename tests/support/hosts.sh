# Two or more hosts on one machine: network namespaces joined by a switch of their own, each with its own host name. Sourced by
# tests. hosts_begin [COUNT] (2) skips the test (exit code 77) with the reason when the rights or tools are missing; hosts_mpirun
# RANKS COMMAND... deals the ranks to the hosts in turn; hosts_sent K is how many bytes host K (1, 2 ...) has put on the wire.
tag=$$
hosts=2

hosts_skip() {
  echo "skipped: $1" >&2
  exit 77
}

host_name() { echo seq$1-$tag; } # 0: the switch

hosts_end() {
  local space
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
  ip -n $switch link set port$host master switch up
  ip -n $name addr add 10.77.0.$host/24 dev wire
  ip -n $name link set wire up
  ip -n $name link set lo up
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
  printf '%s\n' '#!/bin/bash' 'host=$1' 'shift' "space=seq\${host##*.}-$tag" \
    'exec ip netns exec $space unshare --uts sh -c "hostname $space; $*"' >"$work/agent"
  chmod 755 "$work/agent"
}

hosts_mpirun() {
  local ranks=$1 slots host list=
  shift
  slots=$(((ranks + hosts - 1) / hosts))
  for ((host = 1; host <= hosts; host++)); do
    list+=${list:+,}10.77.0.$host:$slots
  done
  "$work/agent" 10.77.0.1 "cd '$work' && ASAN_OPTIONS=detect_leaks=0 '$MPIEXEC' -x ASAN_OPTIONS --quiet -np $ranks --map-by node --host $list \
    --mca plm_rsh_agent '$work/agent' --mca plm_rsh_no_tree_spawn 1 --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 --mca btl self,vader,tcp --mca pml ob1 $*"
}

hosts_sent() {
  ip netns exec "$(host_name $1)" cat /sys/class/net/wire/statistics/tx_bytes
}

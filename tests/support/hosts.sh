# Two hosts on one machine: network namespaces joined by a cable of their own, each with its own host name. Sourced by tests.
# hosts_begin skips the test (exit code 77) with the reason when the rights or tools are missing; hosts_mpirun RANKS COMMAND...
# starts the ranks on both hosts in turn.
tag=$$
host_a=seqa-$tag host_b=seqb-$tag

hosts_skip() {
  echo "skipped: $1" >&2
  exit 77
}

hosts_end() {
  ip netns del $host_a 2>/dev/null
  ip netns del $host_b 2>/dev/null
  rm -rf "$work"
}

hosts_begin() {
  command -v ip >/dev/null || hosts_skip "the command ip is missing (package iproute2)"
  ip netns add $host_a 2>/dev/null || hosts_skip "network namespaces cannot be made here (needs root and CAP_SYS_ADMIN)"
  trap hosts_end EXIT
  ip netns add $host_b || hosts_skip "a second network namespace cannot be made"
  ip link add sa$tag netns $host_a type veth peer name sb$tag netns $host_b || hosts_skip "a veth pair cannot be made (kernel module)"
  local host
  for host in a b; do
    local name=host_$host
    ip -n ${!name} addr add 10.77.0.$([ $host = a ] && echo 1 || echo 2)/24 dev s$host$tag
    ip -n ${!name} link set s$host$tag up
    ip -n ${!name} link set lo up
  done
  printf '%s\n' '#!/bin/bash' 'host=$1' 'shift' "case \$host in 10.77.0.1) space=$host_a ;; *) space=$host_b ;; esac" \
    'exec ip netns exec $space unshare --uts sh -c "hostname $space; $*"' >"$work/agent"
  chmod 755 "$work/agent"
}

hosts_mpirun() {
  local ranks=$1 slots
  shift
  slots=$(((ranks + 1) / 2))
  "$work/agent" 10.77.0.1 "cd '$work' && ASAN_OPTIONS=detect_leaks=0 '$MPIEXEC' -x ASAN_OPTIONS --quiet -np $ranks --map-by node --host 10.77.0.1:$slots,10.77.0.2:$slots \
    --mca plm_rsh_agent '$work/agent' --mca plm_rsh_no_tree_spawn 1 --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 --mca btl self,vader,tcp --mca pml ob1 $*"
}

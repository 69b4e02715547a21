# A real Slurm on one machine as several nodes; sourced by tests after common.sh. slurm_begin COUNT starts munged, slurmctld and a
# slurmd for each of node1, node2 ...: all their files, the socket and the key are in the test's work directory, and all of them
# end with the test. It skips the test (exit code 77) with the reason where programs or rights are missing.
slurm_skip() {
  echo "skipped: $1" >&2
  exit 77
}

# wait_until SECONDS COMMAND...: false when the command has not come true by then.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

slurm_stop() { # slurm_stop NAME
  local process
  process=$(cat "$work/slurm/$1.pid" 2>/dev/null) || return 0
  kill "$process" 2>/dev/null
  wait_until 20 slurm_gone "$process" || kill -KILL "$process" 2>/dev/null
}

slurm_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; } # dead, or a zombie of init's
slurm_idle() { [ -z "$(squeue --noheader 2>/dev/null)" ]; }

slurm_end() {
  local file
  if [ -e "$work/slurm/slurmctld.pid" ]; then
    scancel --full --signal=KILL --user="$(id -u)" 2>/dev/null
    scancel --user="$(id -u)" 2>/dev/null
    wait_until 30 slurm_idle || echo "jobs are left: $(squeue 2>&1)" >&2
  fi
  for file in "$work"/slurm/node*.pid; do
    slurm_stop "$(basename "$file" .pid)"
  done
  slurm_stop slurmctld
  slurm_stop munged
  rm -rf "$work"
}

slurm_needs() {
  local command path
  for command in munged mungekey slurmctld slurmd sbatch srun scontrol squeue scancel; do
    path=$(PATH=$PATH:/usr/sbin:/sbin command -v $command) || slurm_skip "the command $command is missing (Debian: slurm-wlm, munge)"
  done
  [ "$(id -u)" -eq 0 ] || slurm_skip "slurmd starts jobs as root only: run this test as root"
}

# slurm_port: one that nothing listens on.
slurm_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo $port
}

slurm_configure() { # slurm_configure COUNT
  local host node
  host=$(hostname -s)
  mkdir -p "$work/slurm/state"
  cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(slurm_port)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# The time before a requeued job starts again is that of a credential.
AuthInfo=socket=$work/slurm/munge.socket,cred_expire=5
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
StateSaveLocation=$work/slurm/state
SlurmdSpoolDir=$work/slurm/%n
SlurmctldPidFile=$work/slurm/slurmctld.pid
SlurmdPidFile=$work/slurm/%n.pid
SlurmctldLogFile=$work/slurm/slurmctld.log
SlurmdLogFile=$work/slurm/%n.log
PlugStackConfig=/dev/null
ReturnToService=2
KillWait=20
SchedulerParameters=sched_interval=2,bf_interval=2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
  for ((node = 1; node <= $1; node++)); do
    mkdir -p "$work/slurm/node$node"
    echo "NodeName=node$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$(slurm_port) CPUs=4 State=UNKNOWN" >>"$SLURM_CONF"
  done
}

slurm_ready() { [ "$(sinfo --noheader --Node --format=%T 2>/dev/null | grep -c idle)" -eq "$1" ]; }

slurm_begin() {
  local count=$1 node
  slurm_needs
  export PATH=$PATH:/usr/sbin:/sbin SLURM_CONF=$work/slurm/slurm.conf
  mkdir -p "$work/slurm"
  trap slurm_end EXIT
  trap 'exit 1' INT TERM HUP
  chmod 755 "$work"
  slurm_configure "$count"
  mungekey --create --keyfile="$work/slurm/munge.key"
  munged --force --key-file="$work/slurm/munge.key" --socket="$work/slurm/munge.socket" --pid-file="$work/slurm/munged.pid" \
    --log-file="$work/slurm/munged.log" --seed-file="$work/slurm/munge.seed" 2>"$work/slurm/munged.err" ||
    slurm_skip "munged does not start: $(tail -1 "$work/slurm/munged.err")"
  slurmctld -c || slurm_skip "slurmctld does not start: $(tail -1 "$work/slurm/slurmctld.log")"
  for ((node = 1; node <= count; node++)); do
    slurmd -N node$node || slurm_skip "slurmd does not start: $(tail -1 "$work/slurm/node$node.log")"
  done
  wait_until 60 slurm_ready "$count" ||
    slurm_skip "the nodes do not become idle: $(sinfo --noheader --Node --format='%N %T %E' 2>&1 | tr '\n' ';')"
}

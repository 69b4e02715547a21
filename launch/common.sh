# Shared by the launchers; sourced, not run. Needs bash and a Debian-like system (apt-get, dpkg).
set -euo pipefail
# Started without standard descriptors: mpirun would take messages that it writes there for its own signals.
[ -e /proc/$$/fd/0 ] || exec </dev/null
[ -e /proc/$$/fd/1 ] || exec >/dev/null
[ -e /proc/$$/fd/2 ] || exec 2>/dev/null
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # nproc obeys these, which are meant for other programs
# limit_cores QUOTA PERIOD: a control group that grants less time than the cores it shows.
limit_cores() { if [[ $1 =~ ^[0-9]+$ ]] && [ "$1" -lt $((cores * $2)) ]; then cores=$(($1 < 2 * $2 ? 1 : $1 / $2)); fi; }
# limit_by_groups SYSTEM: by this shell's control group and all above it, of version 2 and 1 (src/base/control_groups.c has the same rule).
# SYSTEM is empty, or a folder with such files.
limit_by_groups() {
  local group mount point top at controllers quota period
  while IFS=: read -r _ controllers group; do
    [[ -z $controllers || ,$controllers, == *,cpu,* ]] || continue
    mount=$(awk -v first="$controllers" '{ for (i = 7; i < NF && $i != "-"; i++); n = split($(i + 3), words, ","); for (; n && words[n] != "cpu"; n--);
      if (first == "" ? $(i + 1) == "cgroup2" : $(i + 1) == "cgroup" && n) { print $4, $5; exit } }' "$1/proc/self/mountinfo")
    [ -n "$mount" ] || continue
    top=${mount%% *} point=$1${mount#* }
    [ "$top" != / ] || top=
    [[ $group/ == "$top"/* && $group != */..* ]] && at=$point${group#"$top"} || at=$point
    for (( ; ; )); do
      at=${at%/}
      if read -r quota period 2>/dev/null <"$at/cpu.max"; then limit_cores "$quota" "$period"; fi
      if read -r quota 2>/dev/null <"$at/cpu.cfs_quota_us" && read -r period 2>/dev/null <"$at/cpu.cfs_period_us"; then limit_cores "$quota" "$period"; fi
      [ ${#at} -gt ${#point} ] || break
      at=${at%/*}
    done
  done <"$1/proc/self/cgroup"
}
[ ! -r /proc/self/cgroup ] || limit_by_groups ""
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(gcc libc6-dev cmake ninja-build pkg-config libopenmpi-dev openmpi-bin openssh-client
  libhdf5-dev libzstd-dev libutf8proc-dev libxxhash-dev libjansson-dev zlib1g-dev liblzma-dev libbz2-dev)
test_packages=(libcmocka-dev libopenblas0-pthread) # tests and benches compare with OpenBLAS; seqtrain loads it for --kernels openblas alone

# What the quick start trains, and the bench's part `run`.
quick_start_model=(--cell lstm --layers 2 --hidden 256 --embed 64 --batch 16 --window 50 --lr 0.008 --schedule cosine --warmup 50)

say() { printf '\n== %s\n' "$*"; }
fail_with() { printf '%s: %s\n' "$(basename "$0")" "${*:2}" >&2; exit "$1"; } # exit code (those of the programs), message
fail() { fail_with 1 "$@"; }

# install_packages NAME...: installs those that are missing; does nothing when all are there.
install_packages() {
  local missing=() package as_root=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "Packages: all ${#} are installed"
    return
  fi
  say "Packages to install: ${missing[*]}"
  command -v apt-get >/dev/null || fail "no apt-get here: install the equivalents of these packages, then run this again"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run as root, or install sudo: packages are missing"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# What Open MPI needs in a container, as root, or with more ranks than cores:
#   ALLOW_RUN_AS_ROOT        mpirun refuses root unless both are set
#   oversubscribe            mpirun refuses more ranks than slots; ranks that wait then yield the core
#   single_copy_mechanism    containers forbid the system call behind it (process_vm_readv)
#   sigkill_timeout          an mpirun that is told to end waits this long, sends SIGTERM to the ranks, waits again, kills (default
#                            1); it waits as long before it ends with any exit code but 0 (75, say), whatever the ranks do
set_mpi_environment() {
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_rmaps_base_oversubscribe=1
  export OMPI_MCA_btl_vader_single_copy_mechanism=none
  export OMPI_MCA_odls_base_sigkill_timeout=10
}

# is_second_interrupt: whether this SIGINT is a second Ctrl-C, not the first one sent twice (as `timeout -s INT` does).
interrupted_at=
is_second_interrupt() {
  local now=${EPOCHREALTIME//[!0-9]/} first=$interrupted_at # microseconds
  interrupted_at=${first:-$now}
  [ -n "$first" ] && [ $((now - first)) -ge 200000 ]
}

# run_mpirun MPIRUN_ARGUMENT...: runs mpirun and returns its exit code; 75 when it was asked to stop. $asked_to_stop is the signal, or
# empty. Three habits of mpirun need care:
#   signals   on SIGTERM, SIGINT or SIGHUP (nohup does not help) it sends the ranks SIGTERM late, kills them soon and forgets their exit
#             code; SIGUSR1 it hands on at once. So it gets a process group of its own, and Ctrl-C, a closed terminal, a time limit or
#             kill become SIGUSR1, which asks for a checkpoint. A second Ctrl-C kills all at once
#   start     while it starts it loses SIGUSR1, so that is sent several times
#   messages  it crashes when nobody reads them, so a tee stands between, which outlives its reader
run_mpirun() {
  local code signalled=yes job='' reminder='' messages copier
  asked_to_stop='' interrupted_at=''
  trap 'ask_mpirun TERM' TERM USR1 HUP
  trap 'ask_mpirun INT' INT
  exec {messages}> >(trap '' INT HUP TERM USR1 && exec tee -p /dev/null >&2)
  copier=$!
  set -m
  mpirun "$@" </dev/null 2>&$messages {messages}>&- &
  job=$!
  set +m
  exec {messages}>&-
  while [ $signalled ]; do # a signal ends the wait before the job ends
    code=0 signalled=
    remind_mpirun
    wait $job || code=$?
  done
  trap - TERM USR1 HUP INT
  [ -z "$reminder" ] || kill $reminder 2>/dev/null || true
  wait $copier || true
  [ -z "$asked_to_stop" ] || [ $code -ne 138 ] || code=75 # SIGUSR1 met an mpirun or a rank that was starting or leaving
  return $code
}

# make_king_james FILE: its text as Debian ships it (packages bible-kjv, bible-kjv-text), a verse a line, without its reference.
make_king_james() { bible -f gen1:1-rev22:21 </dev/null | sed 's/^[^ ]* //' >"$1"; }

ask_mpirun() { # of run_mpirun: ask_mpirun SIGNAL
  signalled=yes asked_to_stop=$1
  if [ "$1" = INT ] && is_second_interrupt && [ -n "$job" ]; then
    kill -KILL -- "-$job" 2>/dev/null || true # its ranks notice
    [ -z "$reminder" ] || kill $reminder 2>/dev/null || true
    trap - INT
    kill -INT $$
  fi
}

remind_mpirun() { # of run_mpirun
  local try
  [ -n "$asked_to_stop" ] || return 0
  kill -USR1 "$job" 2>/dev/null || true
  [ -z "$reminder" ] || return 0
  for try in {1..15}; do
    sleep 2
    kill -USR1 "$job" 2>/dev/null || break
  done >/dev/null 2>&1 &
  reminder=$!
}

# configure_and_build DIRECTORY CMAKE_OPTION...
configure_and_build() {
  local directory=$1
  shift
  cmake -S "$root" -B "$directory" -G Ninja "$@" >/dev/null
  cmake --build "$directory"
}

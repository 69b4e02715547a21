# Shared by the launchers; sourced, not run. Needs bash and a Debian-like system (apt-get, dpkg).
set -euo pipefail
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # nproc obeys these, which are meant for other programs
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota =~ ^[0-9]+$ ]] && [ "$quota" -lt $((cores * period)) ]; then
  cores=$((quota < 2 * period ? 1 : quota / period)) # a container that grants less time than it shows cores
fi
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

# run_mpirun MPIRUN_ARGUMENT...: mpirun hands SIGUSR1 on to the ranks at once, SIGTERM late; so a launcher that is told to end
# (a batch system's time limit, kill) asks for a checkpoint with SIGUSR1. Returns mpirun's exit code: 75 after such an end.
run_mpirun() {
  local code signalled=yes
  mpirun "$@" &
  local job=$!
  trap 'signalled=yes; kill -USR1 $job 2>/dev/null || true' TERM USR1
  while [ $signalled ]; do # a signal ends the wait before the job ends
    code=0 signalled=
    wait $job || code=$?
  done
  trap - TERM USR1
  return $code
}

# make_king_james FILE: its text as Debian ships it (packages bible-kjv, bible-kjv-text), a verse a line, without its reference.
make_king_james() { bible -f gen1:1-rev22:21 </dev/null | sed 's/^[^ ]* //' >"$1"; }

# configure_and_build DIRECTORY CMAKE_OPTION...
configure_and_build() {
  local directory=$1
  shift
  cmake -S "$root" -B "$directory" -G Ninja "$@" >/dev/null
  cmake --build "$directory"
}

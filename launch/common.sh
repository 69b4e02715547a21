# Shared by the launchers; sourced, not run. Needs bash 4.4. What is missing is installed on Debian and the like (apt-get).
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
source "$root/launch/launcher.sh"

# Programs that a script calls, by their names in cmake/packages.txt: it ends without the first, and says so of the others.
needed_programs=(mpirun)
wanted_programs=(ssh)

# What the quick start trains, and the bench's part `run`.
quick_start_model=(--cell lstm --layers 2 --hidden 256 --embed 64 --batch 16 --window 50 --lr 0.008 --schedule cosine --warmup 50)

say() { printf '\n== %s\n' "$*"; }
fail_with() { printf '%s: %s\n' "$(basename "$0")" "${*:2}" >&2; exit "$1"; } # exit code (those of the programs), message
fail() { fail_with 1 "$@"; }

# package_names COLUMN NAME...: packages that have these things of cmake/packages.txt. Columns: 3 Debian, 4 RHEL, 5 conda-forge.
package_names() {
  awk -F ' *[|] *' -v column="$1" -v names=" ${*:2} " '!/^#/ && index(names, " " $1 " ") && $column != "-" {printf " %s", $column}' "$root/cmake/packages.txt"
}

# can_install [quietly]: whether Debian's packages can be installed; quietly: without a password. Sets as_root, or why_not.
can_install() {
  as_root=() why_not='packages are installed for you where there is apt-get'
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" -ne 0 ] || return 0
  as_root=(sudo) why_not='to have it installed, run this as root, or where sudo is'
  command -v sudo >/dev/null || return 1
  why_not='to have it installed, run this as root, or where sudo lets you'
  sudo -n true 2>/dev/null || { [ "${1:-}" != quietly ] && [ -t 0 ]; }
}

# install_packages NAME...: Debian's packages of things of cmake/packages.txt, after can_install.
install_packages() {
  local packages
  read -ra packages <<<"$(package_names 3 "$@")"
  say "Packages to install: ${packages[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# install_programs NAME...: those that are missing.
install_programs() {
  local name missing=()
  for name in "$@"; do
    command -v "$name" >/dev/null || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] || { can_install && install_packages "${missing[@]}"; }
}

# is_second_interrupt: whether this SIGINT is a second Ctrl-C, not the first one sent twice (as `timeout -s INT` does).
interrupted_at=
is_second_interrupt() {
  local now=${EPOCHREALTIME:-$(date +%s.%6N)} first=$interrupted_at
  now=${now//[!0-9]/} # microseconds
  interrupted_at=${first:-$now}
  [ -n "$first" ] && [ $((now - first)) -ge 200000 ]
}

# told NAME WORD...: the value of a seqtrain option on the command line WORD..., or in its --config file.
told() {
  local name=$1 value= config=
  shift
  while [ $# -gt 0 ]; do
    case $1 in
    --"$name") value=${2:-} ;;
    --"$name"=*) value=${1#*=} ;;
    --config) config=${2:-} ;;
    --config=*) config=${1#*=} ;;
    esac
    shift
  done
  if [ -z "$value" ] && [ -r "$config" ]; then
    value=$(sed -n "s/^[[:space:]]*$name[[:space:]]*=[[:space:]]*//p" "$config" | tail -1)
  fi
  printf '%s' "$value"
}

session_of() { cat "$1/.session" 2>/dev/null || true; } # of a run directory: its newest start
last_line_of() { tail -n 1 "$1/metrics.jsonl" 2>/dev/null || true; }

# job_code CODE RUN SESSION ERRORS: the exit code of a job whose launcher ended
# with CODE. SESSION is what session_of said of RUN before; ERRORS is a file with
# the messages of the job.
#   0          is believed only where the run says that it has ended
#   untruthful launchers: the run's records count first, then CODE. 2 to 7 are
#              signals of a rank where no rank has printed an error
job_code() {
  local recorded=unknown
  if [ "$(session_of "$2")" = "$3" ]; then
    recorded=unbegun
  elif [ -s "$2/hang/verdict" ] || [ -s "$2/hang/lost" ]; then
    recorded=6
  else
    case $(last_line_of "$2") in
    '{"event": "end"'*) recorded=0 ;;
    '{"event": "stop"'*) recorded=75 ;;
    *'"action": "stop"'*) recorded=5 ;;
    esac
  fi
  case $launcher_truthful/$1/$recorded in
  */0/un*) echo 6 ;;
  */0/*) echo "$recorded" ;;
  no/*/5 | no/*/6 | no/*/75) echo "$recorded" ;;
  no/[2-5]/* | no/7/*) if grep -aq '^seqtrain: error: ' "$4"; then echo "$1"; else echo 1; fi ;;
  *) echo "$1" ;;
  esac
}

# run_mpirun RANKS SEQTRAIN...: runs seqtrain under the launcher of this machine
# and returns its exit code; 75 when it was asked to stop. $asked_to_stop is the
# signal, or empty. Habits of launchers need care:
#   signals   on SIGTERM, SIGINT or SIGHUP (nohup does not help) one sends the
#             ranks SIGTERM late, another kills them at once or dies, and their
#             exit code is forgotten; SIGUSR1 they all hand on. So it gets a
#             process group of its own, and Ctrl-C, a closed terminal, a time
#             limit or kill become SIGUSR1, which asks for a checkpoint. A second
#             Ctrl-C kills all at once
#   start     while it starts it loses SIGUSR1, so that is sent several times
#   messages  mpirun crashes when nobody reads them, so a tee stands between,
#             which outlives its reader
#   codes     job_code
run_mpirun() {
  local code signalled=yes job='' reminder='' messages copier errors run before
  run=$(told run "${@:2}")
  before=$(session_of "$run")
  asked_to_stop='' interrupted_at=''
  launcher_command "$1"
  shift
  errors=$(mktemp)
  trap 'ask_mpirun TERM' TERM USR1 HUP
  trap 'ask_mpirun INT' INT
  exec {messages}> >(trap '' INT HUP TERM USR1 && exec tee -p "$errors" >&2)
  copier=$!
  set -m
  "${launch[@]}" "$@" </dev/null 2>&$messages {messages}>&- &
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
  case $asked_to_stop/$code in
  ?*/138 | ?*/10) code=75 ;; # SIGUSR1 met a launcher or a rank that was starting or leaving
  *) code=$(job_code "$code" "$run" "$before" "$errors") ;;
  esac
  rm -f "$errors"
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

# look_for_all DIRECTORY CMAKE_OPTION...: configures, and sets needed and wanted: what is missing, by its name in
# cmake/packages.txt. What CMake said is in the text `said`. false: it is not configured.
look_for_all() {
  local directory=$1 place=$1 generator=() ninja=() code=0 kind name
  shift
  needed=() wanted=() said=
  if ! command -v cmake >/dev/null; then # whatever there is: all that may be needed
    read -ra needed <<<"$(awk '/^# To test/ {exit} !/^#/ {printf "%s ", $1}' "$root/cmake/packages.txt")"
    needed+=("${needed_programs[@]}") wanted=("${wanted_programs[@]}")
    [[ " $* " != *" -DSEQ_TESTS=ON "* ]] || needed+=(cmocka) wanted+=(openblas)
    said="$(basename "$0"): cmake is not here (3.18 or newer), and without it there is no telling what else is missing. All of it:
  Debian, Ubuntu      apt-get install$(package_names 3 "${needed[@]}")
  RHEL, Rocky, Alma   dnf install$(package_names 4 "${needed[@]}")
  conda, without root conda install -c conda-forge$(package_names 5 "${needed[@]}")
Or, if only cmake is missing: module load cmake, or pip install --user cmake"
    return 1
  fi
  if [ ! -e "$directory/CMakeCache.txt" ]; then
    if command -v ninja >/dev/null || command -v ninja-build >/dev/null; then
      generator=(-G Ninja)
    elif ! command -v make >/dev/null; then # nothing to build with: only to see what else is missing
      ninja=(ninja)
      place=$(mktemp -d)
      generator=(-G "Unix Makefiles" -DCMAKE_MAKE_PROGRAM="$(type -P true)")
    fi
  fi
  rm -f "$place/missing.txt"
  said=$(PATH=$PATH:/usr/sbin:/sbin SEQ_NEED_PROGRAMS="${ninja[*]} ${needed_programs[*]}" SEQ_WANT_PROGRAMS="${wanted_programs[*]}" \
    cmake -S "$root" -B "$place" ${generator[@]+"${generator[@]}"} "$@" 2>&1) || code=$?
  while read -r kind name; do
    if [ "$kind" = need ]; then needed+=("$name"); else wanted+=("$name"); fi
  done < <(cat "$place/missing.txt" 2>/dev/null)
  [ "$place" = "$directory" ] || rm -rf "$place"
  return $code
}

# prepare_folder DIRECTORY: for a build.
prepare_folder() {
  local cache=$1/CMakeCache.txt home made
  { mkdir -p "$1" && [ -w "$1" ]; } 2>/dev/null ||
    fail_with 7 "cannot write in $1: copy $root to a folder where you may write, and run the copy of this script there"
  [ -e "$cache" ] || return 0
  home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache") made=$(sed -n 's/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$cache")
  { [ "$home" -ef "$root" ] && [ "$made" -ef "$1" ]; } && return
  say "$1 was made in another place (${made:-unknown}): begun anew"
  rm -rf "$cache" "$1/CMakeFiles"
}

# configure DIRECTORY CMAKE_OPTION...: asks CMake what is there, installs what is missing where that can be done, or says what to do.
configure() {
  prepare_folder "$1"
  if ! look_for_all "$@"; then
    if [ ${#needed[@]} -eq 0 ]; then
      printf '%s\n' "$said" >&2
      case $said in *'or higher is required'*) echo "A newer CMake comes with: module load cmake, pip install --user cmake, or conda install -c conda-forge cmake" >&2 ;; esac
      fail "CMake does not configure $1"
    fi
    if ! can_install; then
      printf '%s\n' "$said" >&2
      fail "something is missing, see above; $why_not"
    fi
    install_packages "${needed[@]}" ${wanted[@]+"${wanted[@]}"} ||
      fail "apt-get could not install$(package_names 3 "${needed[@]}"): is this machine connected, and are its package sources right?"
  elif [ ${#wanted[@]} -gt 0 ] && can_install quietly; then
    install_packages "${wanted[@]}" || say "Not installed: going on without"
  else
    [ ${#wanted[@]} -eq 0 ] || grep -o 'Not here, goes without: .*' <<<"$said" || true
    return 0
  fi
  look_for_all "$@" || {
    printf '%s\n' "$said" >&2
    fail "something is still missing, see above"
  }
}

# configure_and_build DIRECTORY CMAKE_OPTION...
configure_and_build() {
  configure "$@"
  cmake --build "$1" --parallel "$cores"
}

#!/bin/bash
# launch/run.sh [OPTION...] [--mpi LAUNCHER_OPTION...] -- seqtrain SEQTRAIN_OPTION...
# A supervisor for clusters without a scheduler: runs seqtrain under mpirun or mpiexec ($MPIEXEC; else that of seqtrain's build folder;
# else that of PATH), of Open MPI 4 or 5, MPICH, Intel MPI, MVAPICH, and when the job fails starts it again from its last
# checkpoint, on the hosts that are left.
#   --hosts FILE          host file, lines of `NAME [slots=N]` (without slots: the host's cores; a host named twice has the slots of
#                         both lines; `#` begins a comment). Default: this host
#   --np N                ranks at most; default: all slots
#   --replicas R          replicas of the run; default: what its checkpoint or --replicas says; of a new run: N
#   --max-restarts K      starts after the first (10)
#   --hang-timeout TIME   handed to seqtrain, see there
#   --agent COMMAND       how to run a command on a host: COMMAND HOST COMMAND... (ssh without questions)
#   --probe-timeout S     seconds that a host has to answer (15)
#   --start-timeout S     seconds that a start has to reach the run directory (300)
#   --pause S             seconds to wait after a start that has not reached it (10)
#   --mpi OPTION...       all up to `--` goes to mpirun or mpiexec
# The ranks are R, or R/2, R/4 ..., the most that fit the slots that are left: the bits do not depend on which. Where none fits, the
# largest divisor of R (equal in statistics, and seqtrain says so). Hosts that do not answer through the agent, and hosts that seqtrain
# names as the place of a failure, are dropped for good (the last one is kept). No restart: after 0; after 2, 3, 4, 5 and 7 (usage,
# data, no usable checkpoint, numbers, disk: the next start would end the same way); after SIGTERM, SIGINT (Ctrl-C), SIGHUP or SIGUSR1,
# which are handed on as the wish for a checkpoint (75, also before there is anything to save and between two starts); after two
# restarts without a newer checkpoint. A second Ctrl-C kills the job at once (130).
# Exit code: seqtrain's; 6 when the supervisor gives up, however the launcher put it
# (137 or 9 for a killed rank, 14 where Open MPI 5 saw a connection close first, 205
# for a lost host, nothing at all for a cut link: then it is ended here). 0 counts only
# when the run says that it has ended. Where the supervisor's own host is lost, the others'
# ranks end themselves and their daemons; the same command on another host goes on.
source "$(dirname "$0")/common.sh"

hosts_file= np= replicas= max_restarts=10 hang_timeout= agent='ssh -o BatchMode=yes -o ConnectTimeout=10'
probe_timeout=15 start_timeout=300 pause_time=10 mpi_options=()
leave_time=5    # seconds for mpirun to end by itself after seqtrain has said that a rank hangs
silent_time=60  # and when rank 0 is gone without a word; more than mpirun takes for an exit code that is not 0
end_time=20     # for a job that is to end before it has begun
asked=0 reminded=0 called_off=0 job= token= code=0
names=() slots=() labels=() # of the hosts that are left, in the order of the file; labels: what they call themselves
temporary=

exec 3>&2
log() { printf 'run.sh: %s %s\n' "$(date '+%F %T')" "$*" >&3 || true; } # the terminal may be gone

need_number() { # need_number OPTION VALUE LEAST
  [[ $2 =~ ^(0|[1-9][0-9]{0,8})$ ]] && [ "$2" -ge "$3" ] || usage "$1: a whole number from $3 on is expected, not '$2'"
}

# await PROCESS: its exit code, however many signals come meanwhile.
await() {
  local status
  while :; do
    status=0
    wait "$1" 2>/dev/null || status=$?
    [ $status -gt 128 ] && kill -0 "$1" 2>/dev/null || return $status
  done
}

usage() {
  printf 'run.sh: %s; see --help\n' "$*" >&2
  exit 2
}

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
      sed -n '2,/^source/{/^source/d;s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    --)
      shift
      command=("$@")
      return
      ;;
    --mpi)
      shift
      while [ $# -gt 0 ] && [ "$1" != -- ]; do
        mpi_options+=("$1")
        shift
      done
      ;;
    --hosts | --np | --replicas | --max-restarts | --hang-timeout | --agent | --probe-timeout | --start-timeout | --pause)
      [ $# -gt 1 ] || usage "$1: a value is missing"
      case $1 in
      --hosts) hosts_file=$2 ;;
      --np) need_number "$1" "$2" 1 && np=$2 ;;
      --replicas) need_number "$1" "$2" 1 && replicas=$2 ;;
      --max-restarts) need_number "$1" "$2" 0 && max_restarts=$2 ;;
      --hang-timeout) hang_timeout=$2 ;;
      --agent) agent=$2 ;;
      --probe-timeout) need_number "$1" "$2" 1 && probe_timeout=$2 ;;
      --start-timeout) need_number "$1" "$2" 1 && start_timeout=$2 ;;
      --pause) need_number "$1" "$2" 0 && pause_time=$2 ;;
      esac
      shift 2
      ;;
    *) usage "$1: unknown option" ;;
    esac
  done
}

newest_step() { # -1: none
  local manifest newest=-1
  for manifest in "$run"/checkpoints/step-[0-9]*/manifest.json; do
    [[ $manifest =~ /step-0*([0-9]+)/manifest.json$ ]] && [ -e "$manifest" ] && [ "${BASH_REMATCH[1]}" -gt $newest ] && newest=${BASH_REMATCH[1]}
  done
  echo "$newest"
}

recorded_replicas() {
  local step directory info
  step=$(newest_step)
  [ "$step" -ge 0 ] || return 0
  directory=$(printf '%s/checkpoints/step-%09d' "$run" "$step")
  info=$(dirname "${command[0]}")/seqinfo
  [ -x "$info" ] || info=$(command -v seqinfo) || return 0
  "$info" "$directory" 2>/dev/null | sed -n 's/^  replicas  *\([0-9][0-9]*\)$/\1/p' | head -1
}

# Replicas of the run: of its checkpoint, as told, or as many as the first start has ranks; then said to seqtrain, so that a start
# on fewer ranks before the first checkpoint does not change the run.
find_replicas() {
  local recorded
  recorded=$(recorded_replicas)
  [ -z "$recorded" ] || replicas=$recorded
  [ -n "$replicas" ] || replicas=$(told replicas "${command[@]}")
  if [ -z "$replicas" ] || [ "$replicas" = 0 ]; then
    replicas=${np:-$(total_slots)}
  fi
  [ -n "$(told replicas "${command[@]}")" ] || command+=(--replicas "$replicas")
}

total_slots() {
  local i sum=0
  for ((i = 0; i < ${#slots[@]}; i++)); do
    sum=$((sum + slots[i]))
  done
  echo $sum
}

# add_host NAME SLOTS (0: not told)
add_host() {
  local i
  for ((i = 0; i < ${#names[@]}; i++)); do
    [ "${names[i]}" != "$1" ] || {
      slots[i]=$((slots[i] + $2))
      return
    }
  done
  names+=("$1") slots+=("$2") labels+=("$1")
}

read_hosts() {
  local line number=0 pattern='^([^[:space:]=]+)([[:space:]]+slots[[:space:]]*=[[:space:]]*([1-9][0-9]{0,5}))?$'
  if [ -z "$hosts_file" ]; then
    names=(localhost) slots=("${np:-$cores}") labels=("$(uname -n)")
    return
  fi
  [ -r "$hosts_file" ] || usage "--hosts: $hosts_file cannot be read"
  while read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    read -r line <<<"${line%%#*}" || true # without spaces around it
    line=${line%$'\r'}
    [ -n "$line" ] || continue
    [[ $line =~ $pattern ]] || usage "--hosts: $hosts_file, line $number: 'NAME' or 'NAME slots=N' with N from 1 on is expected, not '$line'"
    add_host "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]:-0}"
  done <"$hosts_file"
  [ ${#names[@]} -gt 0 ] || usage "--hosts: $hosts_file names no host"
}

keep_hosts() { # keep_hosts INDEX...
  local i all_names=("${names[@]}") all_slots=("${slots[@]}") all_labels=("${labels[@]}")
  names=() slots=() labels=()
  for i in "$@"; do
    names+=("${all_names[i]}") slots+=("${all_slots[i]}") labels+=("${all_labels[i]}")
  done
}

on_host() { # on_host NAME COMMAND... &: its process can be told to end
  local host=$1
  shift
  if [ -z "$hosts_file" ]; then
    exec timeout -k 2 "$probe_timeout" "$@"
  else
    exec timeout -k 2 "$probe_timeout" $agent "$host" "$@"
  fi
}

# why_silent EXIT_CODE FILE: what there is to say of a host that did not do what it was told.
why_silent() {
  case $1 in
  124 | 137) echo "it does not answer within $probe_timeout s" ;;
  *) echo "it cannot be reached: $(tail -1 "$2")" ;;
  esac
}

# By their groups: a `timeout` that has just begun may not know its child yet.
end_probes() {
  local probe
  for probe in "$@"; do
    kill -- "-$probe" 2>/dev/null || kill "$probe" 2>/dev/null || true
  done
}

# All at the same time. Who answers tells its name and cores.
probe_hosts() {
  local i good=() label count probes=() status
  [ -n "$hosts_file" ] || return 0
  for ((i = 0; i < ${#names[@]}; i++)); do
    on_host "${names[i]}" 'uname -n; nproc' </dev/null >"$temporary/answer-$i" 2>"$temporary/reason-$i" &
    probes+=($!)
  done
  for ((i = 0; i < ${#names[@]}; i++)); do
    status=0 label='' count=''
    [ $asked -eq 0 ] || end_probes "${probes[@]}"
    wait "${probes[i]}" || status=$?
    [ $asked -eq 0 ] || continue
    { read -r label && read -r count; } <"$temporary/answer-$i" || true
    if [ $status -ne 0 ]; then
      log "dropped host ${names[i]}: $(why_silent $status "$temporary/reason-$i")"
    elif ! [[ $count =~ ^[1-9][0-9]*$ ]]; then
      log "dropped host ${names[i]}: asked for its name and cores (uname -n; nproc), it says '$label' and '$count'"
    else
      good+=("$i")
      labels[i]=$label
      [ "${slots[i]}" -gt 0 ] || slots[i]=$count
    fi
  done
  if [ $asked -ne 0 ]; then
    end_probes "${probes[@]}"
    stop_if_asked
  fi
  keep_hosts ${good[@]+"${good[@]}"}
  [ ${#names[@]} -gt 0 ] || give_up "no host is left"
}

# What seqtrain has said of this start: RUN/hang/verdict, or RUN/hang/lost when mpirun was the first to know. A message and a line
# `hosts: NAME...`.
said() {
  local file
  session_began || return 0
  for file in "$run/hang/verdict" "$run/hang/lost"; do
    [ -s "$file" ] || continue
    cat "$file"
    return
  done
}

# An mpirun in trouble does not hand on what ranks print: then it is said here.
pass_on() {
  local text try
  text=$(said | head -1)
  [ -n "$text" ] || return 0
  for try in 1 2 3 4 5 6 7 8 9 10; do
    ! grep -aqF -- "$text" "$temporary/errors" || return 0
    sleep 0.1
  done
  printf 'seqtrain: error: %s\n' "$text" >&2
}

named_hosts() {
  said | sed -n 's/^hosts: //p'
}

drop_named_hosts() {
  local i kept=() dropped=() named
  named=" $(named_hosts) "
  for ((i = 0; i < ${#names[@]}; i++)); do
    if [[ $named == *" ${labels[i]} "* ]]; then dropped+=("$i"); else kept+=("$i"); fi
  done
  [ ${#dropped[@]} -gt 0 ] || return 0
  if [ ${#kept[@]} -eq 0 ]; then
    log "kept host ${names[*]}: named in the failure, but there is no other"
    return
  fi
  for i in "${dropped[@]}"; do
    log "dropped host ${names[i]}: named in the failure"
  done
  keep_hosts "${kept[@]}"
}

choose_ranks() {
  local most
  most=$(total_slots)
  [ -z "$np" ] || [ "$np" -gt "$most" ] || most=$np
  ranks=$replicas
  while [ "$ranks" -gt "$most" ] && [ $((ranks % 2)) -eq 0 ]; do
    ranks=$((ranks / 2))
  done
  [ "$ranks" -gt "$most" ] || return 0
  for ((ranks = most; replicas % ranks; ranks--)); do :; done
  [ "$ranks" -eq 1 ] || log "$ranks ranks divide $replicas replicas, but not as R / 2^k: equal in statistics, not in bits"
}

session_began() { [ "$(session_of "$run")" != "$session_before" ]; }

# Rank 0 holds the lock for as long as it lives.
rank_0_is_gone() { command -v flock >/dev/null && [ -e "$run/.lock" ] && flock -n "$run/.lock" true; }

ask_to_stop() {
  asked=1 reminded=0
  remind
}

# The wish for a checkpoint. Before the session's begin there is nothing to save, and nobody who would hear it.
remind() {
  [ $asked -ne 0 ] && [ $reminded -eq 0 ] && [ -n "$job" ] || return 0
  if session_began; then
    kill -USR1 "$job" 2>/dev/null || true
    reminded=1
  fi
}

# Ctrl-C: asks for a checkpoint, and kills the job the second time. Without a job the first one is enough.
interrupt() {
  if is_second_interrupt && [ -n "$job" ]; then
    log "interrupted again: the job is killed"
    trap - EXIT INT
    leave
    kill -INT $$
  fi
  ask_to_stop
}

stop_if_asked() {
  [ $asked -eq 0 ] || finish 75 "stopped as asked; the same command continues"
}

# Ends what is left of this start on a host: all that carries its token (launcher_command marks its daemons and ranks).
clean_host() {
  on_host "$1" sh -s <<END
tries=30
while [ \$tries -gt 0 ]; do
  tries=\$((tries - 1))
  found=
  for file in \$(grep -ls $token /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null); do
    process=\${file#/proc/}
    kill -KILL "\${process%%/*}" 2>/dev/null && found=1
  done
  [ -n "\$found" ] || exit 0
  sleep 0.3
done
END
}

# A host that cannot be reached is no place for the next start. What is left of the job there ends by itself (--hang-timeout).
clean_up() {
  local i cleaners=() good=() status
  for ((i = 0; i < ${#names[@]}; i++)); do
    clean_host "${names[i]}" >/dev/null 2>"$temporary/reason-$i" &
    cleaners+=($!)
  done
  for ((i = 0; i < ${#names[@]}; i++)); do
    status=0
    await "${cleaners[i]}" || status=$?
    if [ $status -eq 0 ]; then
      good+=("$i")
    else
      log "dropped host ${names[i]}: processes of the job that are left there cannot be ended: $(why_silent $status "$temporary/reason-$i")"
    fi
  done
  keep_hosts ${good[@]+"${good[@]}"}
}

end_mpirun() {
  log "mpirun does not end by itself ($1): it is killed"
  since=$((SECONDS + 60)) # once is enough
  kill -KILL -- "-$job" 2>/dev/null || kill -KILL "$job" 2>/dev/null || true
}

# Twice a second. Sets $since and $why while the job looks over to all but mpirun.
watch_mpirun() {
  local reason= limit=0
  remind
  if [ $asked -ne 0 ] && ! session_began; then
    [ $called_off -ne 0 ] || kill -TERM "$job" 2>/dev/null || true
    called_off=1
    reason='asked to stop before it has begun' limit=$end_time
  elif session_began && [ -e "$run/hang/verdict" ]; then
    reason='seqtrain has said why' limit=$leave_time
  elif session_began && rank_0_is_gone; then
    reason='rank 0 is gone' limit=$silent_time
  elif ! session_began; then
    reason="no start within $start_timeout s" limit=$start_timeout
  fi
  [ "$reason" = "$why" ] || since=$SECONDS
  why=$reason
  [ -z "$reason" ] || [ $((SECONDS - since)) -lt "$limit" ] || end_mpirun "$reason"
}

pause() {
  local since=$SECONDS
  log "that start did not reach the run directory: the next one comes in $pause_time s"
  while [ $asked -eq 0 ] && [ $((SECONDS - since)) -lt $pause_time ]; do
    sleep 0.5 &
    await $!
  done
}

start_mpirun() {
  local where=() i
  if [ -n "$hosts_file" ]; then
    for ((i = 0; i < ${#names[@]}; i++)); do
      echo "${names[i]} slots=${slots[i]}"
    done >"$temporary/hosts"
    where=(hosts "$temporary/hosts" agent "$agent")
  fi
  token=seqtrain-job-$$-$(date +%s)-$starts
  session_before=$(session_of "$run")
  launcher_command "$ranks" ${where[@]+"${where[@]}"} mark "$token"
  set -m # a process group of its own
  "${launch[@]}" ${mpi_options[@]+"${mpi_options[@]}"} "${command[@]}" </dev/null \
    2> >(trap '' INT HUP TERM USR1 && exec tee -p -a "$temporary/errors" >&3) & # a tee that goes on when our reader has left
  job=$!
  set +m
}

run_once() {
  local since=$SECONDS why=
  : >"$temporary/errors"
  start_mpirun
  { # the shell's own remarks about jobs
    while kill -0 "$job"; do
      sleep 0.5 &
      wait $! || true
      watch_mpirun
    done
    code=0
    await "$job" || code=$?
  } 2>/dev/null
  job=
}

# Whatever ends this script: no process stays.
leave() {
  if [ -n "$job" ]; then
    kill -KILL -- "-$job" 2>/dev/null || true
    clean_up
  fi
  rm -rf "$temporary"
}

finish() { # finish CODE TEXT
  log "$2; exit code $1"
  exit "$1"
}

give_up() { finish 6 "gave up: $*"; }

# Ends the script when there is to be no other start.
consider() {
  [ $called_off -eq 0 ] || finish 75 "stopped as asked, before it had begun"
  [ $code -eq $told_code ] || log "the exit code of ${launcher##*/} is $told_code, but that of the run is $code"
  case $code in
  0) finish 0 "done" ;;
  75) finish 75 "stopped early with a checkpoint: the same command continues" ;;
  2 | 3 | 4 | 5 | 7) finish "$code" "no restart: another start would end the same way" ;;
  esac
  if [ $asked_before_end -ne 0 ]; then
    case $told_code$(last_line_of "$run") in # SIGUSR1 met a launcher that was leaving
    138'{"event": "stop"'* | 10'{"event": "stop"'*) finish 75 "stopped early with a checkpoint: the same command continues" ;;
    esac
    give_up "the job failed after it was asked to stop; the same command continues"
  fi
  stop_if_asked
  if [ "$after" -gt "$before" ]; then idle=0; elif [ $starts -gt 1 ]; then idle=$((idle + 1)); fi
  [ $starts -le "$max_restarts" ] || give_up "$max_restarts restarts (--max-restarts)"
  [ $idle -lt 2 ] || give_up "no checkpoint$([ "$after" -lt 0 ] || echo " newer than that of step $after") in two restarts"
}

command=()
parse_options "$@"
[ ${#command[@]} -gt 0 ] || usage "-- seqtrain OPTIONS is missing"
command -v "${command[0]}" >/dev/null || usage "${command[0]}: no such program"
launcher_find "$(dirname "$(command -v "${command[0]}")")"
command -v "$launcher" >/dev/null || usage "no mpirun and no mpiexec is in PATH"
run=$(told run "${command[@]}")
[ -n "$run" ] || usage "seqtrain's --run is missing: it says where the checkpoints are"
[ -z "$hang_timeout" ] || command+=(--hang-timeout "$hang_timeout")
temporary=$(mktemp -d)
trap leave EXIT
trap : PIPE # whoever read our messages is gone
trap ask_to_stop TERM HUP USR1
trap interrupt INT
launcher_environment
launcher_watchful
launcher_scratch=$temporary
read_hosts
starts=0 idle=0 asked_before_end=0
while :; do
  probe_hosts
  [ $starts -gt 0 ] || find_replicas
  choose_ranks
  stop_if_asked
  before=$(newest_step)
  starts=$((starts + 1))
  log "start $starts: $ranks ranks on ${names[*]}; $([ "$before" -ge 0 ] && echo "from the checkpoint of step $before" || echo "no checkpoint yet")"
  began=$SECONDS
  run_once
  asked_before_end=$asked
  clean_up
  pass_on
  after=$(newest_step)
  told_code=$code
  code=$(job_code $code "$run" "$session_before" "$temporary/errors")
  log "end of start $starts after $((SECONDS - began)) s: mpirun's exit code $told_code, newest checkpoint: step $after$([ -z "$(named_hosts)" ] || echo "; hosts named: $(named_hosts)")"
  consider
  drop_named_hosts
  session_began || pause # whatever kept it from beginning may pass
done

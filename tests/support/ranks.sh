# Jobs that tests harm, and their processes. Sourced after common.sh. A run directory is given by its name in $work, and programs
# are started with `--run $work/NAME`.

# Step and stage in a message, whatever the rank was at.
where='[0-9]+, (reading data|forward and backward|the ranks. reports|exchange of gradients|update of parameters|beginning a checkpoint|writing a checkpoint|validation)'

# prepare_train: `train` is a run that is long enough for a fault to meet it on a fast machine; nothing happens to the one named whole.
prepare_train() {
  make_text 300 >text.txt
  expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
  train=("$SEQTRAIN" --data "$work/data" --replicas 4 --layers 1 --hidden 64 --embed 8 --batch 4 --window 16 --epochs 99 --steps 300
    --checkpoint-every 50 --validate-every 130 --keep 99 --log-every 1000)
  expect 0 finished "${train[@]}" --run whole
}

# meets RANK COMMAND...: should the fault that is to meet a job after step 50 be late, this rank waits for it, stopped, in step 255 (a job
# that goes on from step 50 has less to do). wake NAME: the fault is there.
meets() { SEQ_HOLD_AT=train-update:255:$1 "${@:2}"; }
wake() { pkill -CONT -f -- "^$SEQTRAIN .*--run $work/$1( |\$)"; }

# await_signal PROCESS: until one has come to a process that stands still.
has_signal() { ! grep -q '^ShdPnd:.0*$' "/proc/$1/status" 2>/dev/null; }
await_signal() {
  wait_for has_signal "$1"
}

# kill_processes SIGNAL PROCESS...: until they are gone: one that is dying has no command line any more, but still its files and locks.
kill_processes() {
  local process
  kill "-$1" "${@:2}"
  for process in "${@:2}"; do
    wait_for is_gone "$process"
  done
}

# kill_all SIGNAL NAME: the launcher and all ranks of a run.
kill_all() { kill_processes "$1" $(pgrep -f -- "--run $work/$2( |\$)"); }

# signal_at POINT SIGNAL NAME COMMAND...: one process of a job of the run NAME stands still at a fault point (with a RANK, when there are
# several) and finds a signal when it goes on; HOOK SIGNAL NAME, if there is one, sends it elsewhere. The job's exit code is in `code`,
# what it prints in log.NAME.
stopped_processes() { pgrep -r T -f -- "^$SEQTRAIN .*--run $work/$1( |\$)"; }
signal_at() {
  local job process
  code=0
  SEQ_HOLD_AT=$1 "${@:4}" >"log.$3" 2>&1 &
  job=$!
  wait_for or_ended $job stopped_processes "$3"
  process=$(stopped_processes "$3")
  if [ -n "$process" ]; then
    if [ -n "${HOOK:-}" ]; then $HOOK "$2" "$3" "$process"; else kill "-$2" "$process"; fi
    kill -CONT "$process" 2>/dev/null
  fi
  wait $job || code=$?
}

# rank_process NAME RANK: the process of a rank, by the launcher's number.
rank_process() {
  local process
  [ -n "$launcher_kind" ] || launcher_find
  for process in $(pgrep -f -- "^$SEQTRAIN .*--run $work/$1( |\$)"); do
    tr '\0' '\n' 2>/dev/null <"/proc/$process/environ" | grep -qx "$launcher_rank=$2" && echo "$process"
  done
}

# wait_for_checkpoint NAME STEP [PROCESS]: until a complete one of this step or a later one is there, or the process has ended.
has_checkpoint() {
  local manifest
  for manifest in "$work/$1"/checkpoints/step-*/manifest.json; do
    [[ $manifest =~ step-0*([0-9]+)/ ]] && [ "${BASH_REMATCH[1]}" -ge "$2" ] && return
  done
  return 1
}
wait_for_checkpoint() {
  if [ -n "${3:-}" ]; then wait_for or_ended "$3" has_checkpoint "$1" "$2"; else wait_for has_checkpoint "$1" "$2"; fi
  has_checkpoint "$1" "$2" || { bad "$1 ended before step $2: $(tail -3 "log.$1")"; return 1; }
}

# wait_for_text FILE TEXT PROCESS: until a line has it, or the process has ended.
wait_for_text() {
  wait_for or_ended "$3" has_lines "$1" "$2"
  has_lines "$1" "$2" || bad "'$2' is not in $1"
}

# launcher_process NAME: the launcher of a run.
launcher_process() { pgrep -f -- "^([^ ]*/)?(prterun|mpi(run|exec)[^ ]*) .*--run $work/$1( |\$)"; }

# Processes that carry the work directory's name; this script and its helpers do not.
no_process_left() {
  local left tries=0
  while left=$(pgrep -af -- "$work/$1( |/|\$)"); [ -n "$left" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1)) # dying takes a moment
    sleep 0.1
  done
  [ -z "$left" ] || bad "processes of $1 are left: $left"
}

# one_message FILE TEXT: exactly one line tells who is to blame, with this text (extended regular expression).
one_message() {
  local count
  count=$(grep -Ec '^seqtrain: error: ' "$1")
  [ "$count" -eq 1 ] || bad "$1 has $count messages, expected one: $(grep -a '^seqtrain: error' "$1")"
  grep -E '^seqtrain: error: ' "$1" | grep -Eq -- "$2" || bad "'$2' is not in the message of $1: $(grep -a '^seqtrain: error' "$1")"
}

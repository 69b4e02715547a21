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
await_signal() {
  while grep -q '^ShdPnd:.0*$' "/proc/$1/status"; do sleep 0.02; done
}

# kill_processes SIGNAL PROCESS...: until they are gone: one that is dying has no command line any more, but still its files and locks.
kill_processes() {
  local process
  kill "-$1" "${@:2}"
  for process in "${@:2}"; do
    while grep -q '^State:.[^Z]' "/proc/$process/status" 2>/dev/null; do sleep 0.02; done
  done
}

# kill_all SIGNAL NAME: the launcher and all ranks of a run.
kill_all() { kill_processes "$1" $(pgrep -f -- "--run $work/$2( |\$)"); }

# signal_at POINT SIGNAL NAME COMMAND...: one process of a job of the run NAME stands still at a fault point (with a RANK, when there are
# several) and finds a signal when it goes on; HOOK SIGNAL NAME, if there is one, sends it elsewhere. The job's exit code is in `code`,
# what it prints in log.NAME.
signal_at() {
  local job process
  code=0
  SEQ_HOLD_AT=$1 "${@:4}" >"log.$3" 2>&1 &
  job=$!
  until process=$(pgrep -r T -f -- "^$SEQTRAIN .*--run $work/$3( |\$)"); do
    kill -0 $job 2>/dev/null || break # has ended without
    sleep 0.02
  done
  if [ -n "$process" ]; then
    if [ -n "${HOOK:-}" ]; then $HOOK "$2" "$3" "$process"; else kill "-$2" "$process"; fi
    kill -CONT "$process" 2>/dev/null
  fi
  wait $job || code=$?
}

# rank_process NAME RANK: the process of a rank, by mpirun's number.
rank_process() {
  local process
  for process in $(pgrep -f -- "--run $work/$1( |\$)"); do
    tr '\0' '\n' 2>/dev/null <"/proc/$process/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$2" && echo "$process"
  done
}

# wait_for_checkpoint NAME STEP [PROCESS]: until a complete one of this step or a later one is there, or the process has ended.
wait_for_checkpoint() {
  local manifest
  while :; do
    for manifest in "$work/$1"/checkpoints/step-*/manifest.json; do
      [[ $manifest =~ step-0*([0-9]+)/ ]] && [ "${BASH_REMATCH[1]}" -ge "$2" ] && return
    done
    [ -z "${3:-}" ] || kill -0 "$3" 2>/dev/null || { bad "$1 ended before step $2: $(tail -3 "log.$1")"; return 1; }
    sleep 0.05
  done
}

# wait_for_text FILE TEXT PROCESS: until a line has it, or the process has ended.
wait_for_text() {
  until grep -Eq -- "$2" "$1" 2>/dev/null; do
    kill -0 "$3" 2>/dev/null || { grep -Eq -- "$2" "$1" || bad "'$2' is not in $1"; return; }
    sleep 0.05
  done
}

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
  [ "$count" -eq 1 ] || bad "$1 has $count messages, expected one: $(grep '^seqtrain: error' "$1")"
  grep -E '^seqtrain: error: ' "$1" | grep -Eq -- "$2" || bad "'$2' is not in the message of $1: $(grep '^seqtrain: error' "$1")"
}

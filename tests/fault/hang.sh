# A rank that hangs, sleeps or dies on one host: the job ends with one message that names it, and goes on from its last checkpoint to
# the bytes of a run that nothing happened to.
# Long: 900
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
limit=3
whole=$((${SCALE:-1} >= 10))
prepare_train

# goes_on NAME: from the last checkpoint, on another number of ranks.
goes_on() {
  local begun
  no_process_left "$1"
  begun=$(now)
  expect 0 finished run_mpi 2 "${train[@]}" --run "$work/$1"
  recovered=$(since "$begun")
  same_tree whole/checkpoints "$1/checkpoints"
}

# harmed NAME CODE RANKS MESSAGE COMMAND RANK: that happens to a rank of a job after step 50.
harmed() {
  local name=$1 expected=$2 ranks=$3 text=$4 job got=0 begun
  shift 4
  meets "$2" run_mpi "$ranks" "${train[@]}" --run "$work/$name" --hang-timeout $limit >"log.$name" 2>&1 &
  job=$!
  wait_for_checkpoint "$name" 50 $job
  begun=$(now)
  "$@" "$name"
  wait_for_text "log.$name" '^seqtrain: error' $job
  detected=$(since "$begun")
  wait $job || got=$?
  [ $got -eq "$expected" ] || { [ "$expected" = 137 ] && was_killed $got; } || bad "$name: exit code $got, expected $expected: $(tail -3 "log.$name")"
  one_message "log.$name" "$text"
  goes_on "$name"
}

stop() { kill -STOP "$(rank_process "$2" "$1")"; }
die() { kill -KILL "$(rank_process "$2" "$1")"; }

experiment "rank 2 of 4 stopped (SIGSTOP), one host" "one message, exit code 6 on all, same bytes after going on"
harmed stopped 6 4 "rank 2 \(host $(uname -n), process [0-9]+\) does not answer .* in step $where" stop 2
outcome 1 "as expected" "$detected" "$recovered"

if [ $whole -eq 1 ]; then
  experiment "rank 0 of 4 stopped (SIGSTOP), one host" "one message, exit code 6 on all, same bytes after going on"
  harmed stopped-0 6 4 "rank 0 \(host $(uname -n), process [0-9]+\) does not answer .* in step $where" stop 0
  outcome 1 "as expected" "$detected" "$recovered"
fi

experiment "rank 1 of 4 killed (SIGKILL), one host" "one message by its neighbours, mpirun ends with 137 or 6, same bytes after going on"
harmed killed 137 4 "rank 1 \(host $(uname -n), process [0-9]+\) has died in step $where; it was killed \(SIGKILL\), the likely reason is want of memory: the host's ranks share [0-9.]+ MB, .* free on the host.*continues from its last checkpoint" die 1
outcome 1 "as expected" "$detected" "$recovered"

# A rank that works on one thing for ever, in each stage. The numbers are those of seq_stage (include/seqtrain/job/watchdog.h).
hangs() { # hangs NAME RANK STEP STAGE TEXT: as told by SEQ_HANG
  local got=0
  SEQ_HANG="$2 $3 $4" run_mpi 4 "${train[@]}" --run "$work/$1" --hang-timeout $limit >"log.$1" 2>&1 || got=$?
  [ $got -eq 6 ] || bad "$1: exit code $got, expected 6: $(tail -3 "log.$1")"
  one_message "log.$1" "rank $2 \(host $(uname -n), process [0-9]+\) hangs in step $5"
  goes_on "$1"
}
experiment "main thread hangs: reading, computing, validating, beginning to save" "one message with rank, step and phase; exit code 6; same bytes"
hangs computing 0 55 8 '56, forward and backward'
if [ $whole -eq 1 ]; then
  hangs reading 3 40 7 '41, reading data'
  hangs validating 1 130 4 '130, validation'
  hangs saving 2 100 5 '100, beginning a checkpoint'
fi
outcome $((1 + 3 * whole))

# One process has a watchdog, too, and a job without hands (0) has none.
got=0
SEQ_HANG="0 40 7" "${train[@]}" --run "$work/alone" --hang-timeout $limit >log.alone 2>&1 || got=$?
[ $got -eq 6 ] || bad "alone: exit code $got, expected 6"
one_message log.alone "rank 0 .* hangs in step 41, reading data"

# mpirun has lost a host and asks its own ranks to end, then kills them: one tells who is missing, and no other that it has died.
experiment "rank killed while the launcher ends the job" "one message, of who was missing before; same bytes after going on"
end_rank_0() { # SIGNAL NAME PROCESS
  local first
  first=$(rank_process "$2" 0)
  kill -TERM "$first"
  wait_for_text "log.$2" '^seqtrain: error' $job
  kill -KILL "$first"
}
HOOK=end_rank_0 signal_at train-update:60:1 - ended run_mpi 4 "${train[@]}" --run "$work/ended" --hang-timeout 20
was_killed $code || bad "ended: exit code $code: $(tail -3 log.ended)"
one_message log.ended "the launcher ends the job: rank 1 \(host $(uname -n), process [0-9]+\) does not answer .* in step 60, update of parameters; the job ends"
absent ended/hang/verdict
goes_on ended
outcome 1 "as expected" - "$recovered"

# A laptop that sleeps, a job that is suspended: no time has passed.
experiment "whole job suspended for longer than the limit" "goes on when it is woken; same bytes"
sleep_all() { # SIGNAL NAME PROCESS: rank 1 stands still already
  local other
  other=$(rank_process "$2" 0)
  kill -STOP "$other"
  sleep $((limit * 2))
  kill -CONT "$other"
}
HOOK=sleep_all signal_at train-update:60:1 - asleep run_mpi 2 "${train[@]}" --run "$work/asleep" --hang-timeout $limit
[ $code -eq 0 ] || bad "asleep: exit code $code: $(tail -3 log.asleep)"
same_tree whole/checkpoints asleep/checkpoints
absent asleep/hang/verdict
outcome 1

# A short stop is none.
if [ $whole -eq 1 ]; then
  experiment "rank stopped for less than the limit" "the job goes on; same bytes"
  nap() { sleep 2; }
  HOOK=nap signal_at train-update:60:1 - nap run_mpi 2 "${train[@]}" --run "$work/nap" --hang-timeout 60
  [ $code -eq 0 ] || bad "nap: exit code $code: $(tail -3 log.nap)"
  same_tree whole/checkpoints nap/checkpoints
  outcome 1
fi

# mpirun is killed while a rank is stopped; another job has gone on meanwhile: the rank that wakes must not write. When a launcher
# dies, the system wakes and ends its stopped children; behind setsid the rank's parent lives on, as the daemon of a host does that
# was cut off.
experiment "stopped rank wakes up after its job was ended and restarted" "it leaves, the run directory stays as it is"
replaced() { # SIGNAL NAME PROCESS
  local process
  kill -KILL $(launcher_process "$2")
  for process in $(pgrep -f -- "^$SEQTRAIN .*--run $work/$2 "); do # lets go of the lock
    [ "$process" = "$3" ] || kill_processes KILL "$process"
  done
  expect 0 finished "${train[@]}" --run "$work/$2"
  same_tree whole/checkpoints "$2/checkpoints"
  kill -0 "$3" 2>/dev/null || bad "the stopped rank was to be there still"
  find "$2" -type f -exec md5sum {} + | sort >before.txt
  woken=$3 begun=$(now)
}
HOOK=replaced signal_at train-update:60:1 - woken run_mpi 2 setsid -w "${train[@]}" --run "$work/woken" --hang-timeout $limit
wait_for is_gone "$woken"
find woken -type f -exec md5sum {} + | sort >after.txt
diff before.txt after.txt >&2 || bad "the woken rank has written"
no_process_left woken
outcome 1 "as expected" "$(since "$begun")"
finish

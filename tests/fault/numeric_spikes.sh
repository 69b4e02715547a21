# Spikes of the loss and of the gradient's norm: found by the rolling window, skipped or rolled back, and the window travels in the
# checkpoint. Killed right after an event and continued on another number of ranks: the same bytes.
source "$SUPPORT/common.sh"
"$SEQTRAIN" --help | grep -q -- '--inject' || { echo "built without SEQ_FAULT_INJECTION" >&2; exit 77; }
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 12 --embed 8 --batch 2 --window 8 --steps 22 --epochs 99 --replicas 4
  --checkpoint-every 4 --keep 99 --shards 2 --no-checkpoint-background --spike-window 8)

# run RANKS CODE TEXT RUN OPTION...
run() {
  local ranks=$1 code=$2 text=$3 run=$4
  shift 4
  if [ "$ranks" -eq 1 ]; then
    expect "$code" "$text" "${train[@]}" --run "$run" "$@"
  else
    expect "$code" "$text" run_mpi "$ranks" "${train[@]}" --run "$run" "$@"
  fi
  runs=$((runs + 1))
}

event() { # RUN PATTERN COUNT
  local found
  found=$(grep -Ec "$2" "$1/metrics.jsonl")
  [ "$found" -eq "$3" ] || bad "$1: $found events like '$2', expected $3"
}

loss=spike-loss:step=14,replica=1,by=4 norm=spike-norm:step=18,replica=2
for action in skip rollback; do
  experiment "--on-spike $action: loss and gradient norm, P = 1 and 4" "each spike is found and named, nothing else is; same bytes"
  runs=0
  for ranks in 1 4; do
    run $ranks 0 finished $action-$ranks --on-spike $action --inject "$loss;$norm"
    event $action-$ranks "\"event\": \"spike\".*\"step\": 14,.*\"what\": \"loss\".*\"rank\": $((ranks / 4)), \"replica\": 1.*\"action\": \"$action\"" 1
    event $action-$ranks "\"event\": \"spike\".*\"step\": 18,.*\"what\": \"norm\".*\"action\": \"$action\"" 1
    event $action-$ranks '"event": "spike"' 2
  done
  same_tree $action-1/checkpoints $action-4/checkpoints
  outcome $runs
done

experiment "spikes are ignored by default, or before the window is full" "no event; the spike's update is made"
runs=0
run 1 0 finished ignored --inject "$loss;$norm"
run 1 0 finished early --on-spike skip --spike-window 20 --inject "$loss;$norm"
event ignored '"event": "spike"' 0
event early '"event": "spike"' 0
outcome $runs

experiment "--max-skips with spikes" "exit 5, the last checkpoint is named"
runs=0
for ranks in 1 4; do
  run $ranks 5 "step 16, .*2 steps were skipped already.*step-000000012" bounded-$ranks --on-spike skip --max-skips 2 --inject "$norm;spike-norm:step=14,until=22"
done
outcome $runs

experiment "killed right after an event, continued on another P" "the bytes of the run that was not killed"
runs=0
torn() { # WHOLE KILL BEFORE AFTER FAULTS-OF-THE-REST OPTION...: SIGKILL as step KILL begins
  local whole=$1 kill=$2 before=$3 after=$4 rest=$5 code=0
  shift 5
  local torn=$whole-$kill-$before-$after
  if [ "$before" -eq 1 ]; then
    "${train[@]}" --run "$torn" "$@" --inject "$loss;$norm;kill:step=$kill" >log.txt 2>&1 || code=$?
  else
    run_mpi "$before" "${train[@]}" --run "$torn" "$@" --inject "$loss;$norm;kill:step=$kill" >log.txt 2>&1 || code=$?
  fi
  was_killed $code || bad "$torn: exit code $code of a killed run: $(tail -1 log.txt)"
  run "$after" 0 "resumed" "$torn" "$@" --inject "$rest"
  same_tree "$whole-1/checkpoints" "$torn/checkpoints"
}
torn skip 15 1 4 "$loss;$norm" --on-spike skip   # the event is met again
torn skip 17 4 1 "$norm" --on-spike skip         # it lies before the checkpoint of step 16, which holds the rolling window
torn rollback 15 4 1 "$norm" --on-spike rollback # the checkpoint that was gone back to knows of it
torn rollback 19 1 4 kill:step=99 --on-spike rollback
outcome $runs

finish

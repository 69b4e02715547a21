# Numbers that are none, wherever they arise: stop, skip, roll back; the same bytes on one rank and on four.
source "$SUPPORT/common.sh"
"$SEQTRAIN" --help | grep -q -- '--inject' || { echo "built without SEQ_FAULT_INJECTION" >&2; exit 77; }
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 2 --hidden 12 --embed 8 --batch 2 --window 8 --epochs 99 --replicas 4 --keep 99 --shards 1)
expect 0 finished "${train[@]}" --run base --steps 10

# run RANKS CODE TEXT NAME OPTION...: goes on in NAME-RANKS from step 10, with a checkpoint after each step.
run() {
  local ranks=$1 code=$2 text=$3 name=$4
  local command=("${train[@]}" --run "$name-$ranks" --steps 15 --checkpoint-every 1 --log-every 1 "${@:5}")
  [ -e "$name-$ranks" ] || cp -r "${from:-base}" "$name-$ranks"
  if [ "$ranks" -eq 1 ]; then expect "$code" "$text" "${command[@]}"; else expect "$code" "$text" run_mpi "$ranks" "${command[@]}"; fi
  runs=$((runs + 1))
}

# both CODE TEXT NAME OPTION...: on one rank and on four, with equal checkpoints.
both() {
  local code=$1 text=$2 name=$3
  shift 3
  run 1 "$code" "$text" "$name" "$@"
  run 4 "$code" "$text" "$name" "$@"
  same_tree "$name-1/checkpoints" "$name-4/checkpoints"
}

# event NAME PATTERN COUNT: lines of metrics.jsonl, on both.
event() {
  local ranks found
  for ranks in 1 4; do
    found=$(grep -Ec "$2" "$1-$ranks/metrics.jsonl")
    [ "$found" -eq "$3" ] || bad "$1-$ranks: $found events like '$2', expected $3"
  done
}

# recovered NAME...: the longest time from a bad number to the next step that was logged, in seconds.
recovered() {
  local name
  for name in "$@"; do cat "$name-1/metrics.jsonl" "$name-4/metrics.jsonl"; done |
    sed -n 's/.*"event": "\(bad_number\|step\)", "time": \([0-9.]*\).*/\1 \2/p' |
    awk '/bad/ { if (!from) from = $2 } /step/ && from { if ($2 - from > most) most = $2 - from; from = 0 } END { printf "%.1f", most }'
}

shard() { printf '%s-1/checkpoints/step-%09d/shard-0000.h5' "$1" "$2"; } # of NAME after STEP
rate() { sed -n "s/.*\"event\": \"step\".*\"step\": $2,.*\"learning_rate\": \([0-9.e-]*\).*/\1/p" "$1-1/metrics.jsonl" | tail -1; }

experiment "a number that is none is named and stops the run, P = 1 and 4" "exit 5: rank, layer, step; the last checkpoint is good"
runs=0
while read -r fault what place; do
  both 5 "step 12, epoch 1.*$place.*last good checkpoint is [a-z0-9-]*/checkpoints/step-000000011" "stop-$fault" --inject "$fault:step=12,${what#*,}"
  event "stop-$fault" "\"event\": \"bad_number\".*\"step\": 12.*\"what\": \"${what%%,*}\".*\"layer\".*\"action\": \"stop\"" 1
done <<'END'
nan-gradient gradient,replica=3,layer=rnn.weight_ih_l1 rnn.weight_ih_l1
nan-loss loss,replica=3 output.layer
nan-final-state state,replica=3 handed.on.by.recurrent.layer.1
END
for rank in nan-gradient nan-loss nan-final-state; do
  grep -q '"rank": 3, "replica": 3' "stop-$rank-4/metrics.jsonl" || bad "$rank: the rank is not named"
  grep -q '"rank": 0' "stop-$rank-1/metrics.jsonl" || bad "$rank: the rank is not named"
done
both 5 "step 12, epoch 1: parameter output.bias is not finite after the update.*step-000000011" stop-parameter --inject nan-parameter:step=12,layer=output.bias
both 5 "step 12, epoch 1, replica 2: the loss of the validation after it.*step-000000011" stop-validation --validate-every 4 --inject nan-validation:step=12,replica=2
outcome $runs

experiment "--on-bad-numbers skip: no parameter, moment or state changes, P = 1 and 4" "the checkpoint after the step is that before it; the run goes on; same bytes"
runs=0
for fault in inf-gradient nan-loss nan-final-state nan-state; do
  both 0 "1 steps skipped, rolled back 0 times" "skip-$fault" --on-bad-numbers skip --inject "$fault:step=12,replica=2"
  event "skip-$fault" '"event": "bad_number".*"step": 12.*"replica": 2.*"action": "skip"|"event": "bad_number".*"step": 12.*"rank": 0, "layer": "rnn.weight_hh_l0".*"action": "skip"' 1
  event "skip-$fault" '"event": "bad_number"' 1
  event "skip-$fault" '"event": "end".*"skipped_steps": 1' 1
  if [ $fault = nan-state ]; then # that replica's states begin again at zero
    cmp -s "$(shard skip-$fault 11)" "$(shard skip-$fault 12)" && bad "$fault: a state that was none came back"
  else
    same "$(shard skip-$fault 11)" "$(shard skip-$fault 12)"
  fi
  cmp -s "$(shard skip-$fault 12)" "$(shard skip-$fault 13)" && bad "$fault: nothing is learnt after the skipped step"
done
both 5 "step 12.*output.bias.*cannot be skipped" skip-parameter --on-bad-numbers skip --inject nan-parameter:step=12,layer=output.bias
outcome $runs "" 0.0 "$(recovered skip-inf-gradient skip-nan-loss skip-nan-final-state skip-nan-state)"

experiment "--max-skips" "exit 5 at the step after the last that may be skipped"
runs=0
both 5 "step 14, .*2 steps were skipped already \(--max-skips\).*step-000000013" bounded --on-bad-numbers skip --max-skips 2 --inject inf-loss:step=12,until=16
event bounded '"action": "skip"' 2
event bounded '"step": 14.*"action": "stop"' 1
outcome $runs

experiment "--on-bad-numbers rollback, P = 1 and 4" "back to the checkpoint before, rate cut, the window passed over; same bytes"
runs=0
for fault in nan-gradient nan-state nan-parameter; do
  both 0 "0 steps skipped, rolled back 1 times, 1 windows passed over" "back-$fault" --on-bad-numbers rollback --rollback-factor 0.25 --lr 0.004 --inject "$fault:step=12"
  event "back-$fault" '"event": "bad_number".*"step": 12.*"action": "rollback", "to_step": 11, "rate_factor": 0.25' 1
  event "back-$fault" '"event": "jump".*"step": 12' 1
  same "$(shard "back-$fault" 11)" "$(shard "back-$fault" 12)"
  [ "$(rate "back-$fault" 11) $(rate "back-$fault" 13)" = "0.004 0.001" ] || bad "$fault: rates $(rate "back-$fault" 11), $(rate "back-$fault" 13)"
done
# What went wrong is not part of what is left: all ended in the same state.
for fault in nan-state nan-parameter; do same_tree back-nan-gradient-1/checkpoints back-$fault-1/checkpoints; done
mkdir empty
from=empty both 0 "rolled back 1 times" back-start --steps 5 --on-bad-numbers rollback --inject nan-loss:step=1,replica=1
event back-start '"action": "rollback", "to_step": 0' 1
outcome $runs "" 0.0 "$(recovered back-nan-gradient back-nan-state back-nan-parameter back-start)"

experiment "--max-rollbacks" "exit 5 after the last that is allowed, the last checkpoint is good"
runs=0
both 5 "step 14, .*rolled back 2 times already \(--max-rollbacks\)" often --on-bad-numbers rollback --max-rollbacks 2 --inject nan-gradient:step=12,until=16
event often '"action": "rollback"' 2
event often '"rate_factor": 0.25' 1
expect 0 verified "$SEQINFO" often-1 --verify
outcome $runs

# A head that knows whose loss is not finite names the item: dense layers with weights of 1e29 overflow.
for item in 1 2 3 4 5 6 7 8; do printf 'a\tO\nb\tX\n\n'; done >tags.conll
expect 0 targets "$SEQPREP" --task tag --reader conll -o tags tags.conll
expect 5 "the loss is (-?nan|inf) nats per token \(item [0-7] has no finite one\)" "$SEQTRAIN" --data tags --run tags.run --head crf --hidden 8 \
  --embed 4 --batch 2 --feedforward 8 --optimizer sgd --lr 1e30 --clip-norm 0 --loss-limit 1e30 --epochs 3 --checkpoint-interval 0 --quiet

# The grammar of --inject.
for fault in none nan-loss nan-loss:step nan-loss:step=0 nan-loss:step=1.5 nan-loss:step=2,replica=4 nan-loss:step=2,layer=output.bias \
  nan-parameter:step=2,replica=1 nan-gradient:step=1,layer=embedding.weight nan-gradient:step=1,layer=none nan-loss:step=2,by=2 spike-loss:step=4,by= ';' kill:step=3,until=2; do
  expect 2 "--inject: .*expected FAULT:step=N" "${train[@]}" --run grammar --steps 1 --inject "$fault"
done
finish

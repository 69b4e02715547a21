# The n-th allocation fails, for every n (every few of them where there are many): exit code 1 and "memory" in the message, never a
# crash, nothing half-written; what fails before the end of training leaves a run that the same command line completes.
source "$SUPPORT/common.sh"
if [[ ${SANITIZE:-} == *thread* ]]; then
  echo "skipped: this sanitizer has an allocator of its own" >&2
  exit 77
fi
make_text 60 >text.txt
expect 0 train "$SEQPREP" --unit word --punctuation split --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 2 --hidden 6 --embed 5 --feedforward 7 --batch 2 --window 4 --steps 6 --epochs 9 --checkpoint-every 3 --dropout 0.1 --report-gradient-flow 2)
expect 0 finished "${train[@]}" --run whole
printf 'the river\n' >lines.txt

# fail_each NAME LIMIT CLEAN COMMAND...: about LIMIT of the allocations of COMMAND fail, one at a time; CLEAN makes room for the next.
fail_each() {
  local name=$1 limit=$2 clean=$3 total step number code
  shift 3
  $clean
  SEQ_FAIL_COUNT="$work/count" LD_PRELOAD="$SHIM" "$@" >.out 2>&1 </dev/null || bad "$name fails under the shim: $(tail -1 .out)"
  total=$(cat "$work/count")
  [ "$total" -ge 5 ] || bad "$name: the shim counted $total allocations only"
  step=$((total / limit + 1))
  for ((number = 1; number <= total; number += step)); do
    $clean
    code=0
    timeout $((60 * slower)) env SEQ_FAIL_AT=$number LD_PRELOAD="$SHIM" "$@" >.out 2>&1 </dev/null || code=$?
    # 0: the allocation was one that the program can do without.
    if [ $code -ne 0 ] && [ $code -ne 1 ]; then bad "$name: allocation $number of $total: exit code $code: $(tail -2 .out)"; fi
    if [ $code -eq 1 ] && ! grep -qi memory .out; then bad "$name: allocation $number of $total: no word of memory in: $(tail -2 .out)"; fi
    no_report "$name: allocation $number of $total"
    [ $code -eq 1 ] && refused=$((refused + 1))
    tried=$((tried + 1))
  done
  echo "$name: $total allocations, every ${step}th fails" >&2
}
tried=0 refused=0
remove_data() { rm -rf new new.*; }
remove_run() { rm -rf run; }
nothing() { :; }
fail_each seqprep 150 remove_data "$SEQPREP" --unit word --punctuation split --nfc --lower --valid 0.1 -o new text.txt
printf 'a B-x\nb I-x\n\nc O\n' >tags
fail_each "seqprep --task tag" 40 remove_data "$SEQPREP" --task tag --letters --valid 0.5 -o new tags
fail_each "seqprep, HDF5 of others" 60 remove_data "$SEQPREP" --task classify --reader hdf5 -o new "$SUPPORT/../fuzz/corpus/arrays/many.h5"
for i in 1 2 3 4; do printf '%d,2\n3,4\n' $i >"frames$i.csv" && printf 'frames%d.csv,%d\n' $i $((i % 2)); done >frames
fail_each "seqprep, files of frames" 60 remove_data "$SEQPREP" --task classify --reader csv --columns path=1,label=2 --velocities -o new frames
remove_data
fail_each seqtrain 150 remove_run "${train[@]}" --run run
remove_run
SEQ_FAIL_AT=$(($(cat "$work/count") - 20)) LD_PRELOAD="$SHIM" "${train[@]}" --run run >.out 2>&1
expect 0 finished "${train[@]}" --run run
same_tree whole/checkpoints run/checkpoints
fail_each seqsample 60 nothing "$SEQSAMPLE" whole --tokens 20 --count 3 --prime 'the river' --top-k 3
fail_each seqeval 60 nothing "$SEQEVAL" whole
fail_each "seqeval --score" 60 nothing "$SEQEVAL" whole --score lines.txt --per-token
printf 'a O\nb B-x\nc I-x\n\nd B-y\n' >tags
printf '{"index": %d, "label": "%s", "output": "a", "labels": ["a", "b"], "probabilities": [0.%d, 0.5]}\n' 1 a 5 2 b 4 >classes
printf '%s\n' 'a some words' 'b more' 'a words' >labelled
fail_each "seqeval --gold" 60 nothing "$SEQEVAL" --gold tags --predictions tags --train tags
fail_each "seqeval --gold, JSON lines" 60 nothing "$SEQEVAL" --gold classes --per-item items.tsv
fail_each "seqeval --baseline" 60 nothing "$SEQEVAL" --gold labelled --train labelled --baseline bow
fail_each seqinfo 60 nothing "$SEQINFO" whole --verify
[ -z "$(ls -d new.* 2>/dev/null)" ] || bad "seqprep left $(ls -d new.*)"
[ $((refused * 2)) -gt $tried ] || bad "$refused of $tried failed: the test has lost its point"
finish

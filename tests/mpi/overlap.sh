# --overlap and --bucket change no bit: P = 1, 2, 4 and 8 on one node, with sampled and tied output, dropout, clipping by element and
# several replicas a rank; numbers that are none are found and named; a signal stops a run that overlaps.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
common=(--data data --replicas 8 --layers 2 --hidden 40,33 --embed 33 --feedforward 33 --dropout 0.2 --batch 2 --window 6 --steps 8 --epochs 9
  --clip-norm 0.3 --clip-element 0.01)
for output in "full" "sampled --samples 6" "sampled --samples 6 --tied"; do
  rm -rf run-*
  expect 0 finished "$SEQTRAIN" "${common[@]}" --output $output --run run-alone
  for how in "1 1" "2 1" "4 9k" "8 1M"; do
    set -- $how
    expect 0 finished run_mpi $1 "$SEQTRAIN" "${common[@]}" --output $output --overlap on --bucket $2 --threads $((1 + $1 % 4 / 2)) --run run-$1
    same_tree run-alone/checkpoints run-$1/checkpoints
  done
done
expect 5 "rank [01]: step .*(nan nats|not finite|--loss-limit)" run_mpi 2 "$SEQTRAIN" "${common[@]}" --overlap on --run numbers --optimizer sgd --lr 1e30 --clip-norm 0 --clip-element 0
expect 2 "--wire" "$SEQTRAIN" "${common[@]}" --run run-alone --wire bf16

run_mpi 4 "$SEQTRAIN" "${common[@]}" --steps 100000 --epochs 100000 --overlap on --bucket 1 --log-every 1 --run "$work/signal" >out.txt 2>&1 &
process=$!
wait_for or_ended $process has_lines signal/metrics.jsonl '"event": "step"' 5
kill -USR1 $(launcher_process signal)
code=0
wait $process || code=$?
[ $code -eq 75 ] || bad "a signal: exit code $code: $(tail -3 out.txt)"
expect 0 "verified" "$SEQINFO" signal --verify
finish

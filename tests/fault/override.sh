# What may differ on a resume: nothing of what decides the numbers of a run, unless --override names it. Other replicas, batches,
# windows and data cut the streams anew, which is said, recorded and the same again when it is repeated.
source "$SUPPORT/common.sh"
launcher_environment 0
make_text 300 >text.txt
make_text 310 | sed 's/river/rivers/' >other.txt
make_text 300 | tr 'v' 'w' >fewer.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
expect 0 train "$SEQPREP" --vocab data --valid 0.1 -o same-vocabulary other.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o fewer fewer.txt
command=("$SEQTRAIN" --layers 1 --hidden 16 --embed 8 --dropout 0.1 --batch 2 --window 20 --epochs 3 --steps 150)
SEQ_CRASH_AT=train-update:42 "${command[@]}" --data data --replicas 8 --checkpoint-every 5 --keep 2 --no-checkpoint-background --run base >log.txt 2>&1 &&
  bad "was not killed"
steps=$(ls base/checkpoints | tail -1 | sed 's/step-0*//')

# fresh NAME: a copy of the killed run.
fresh() {
  rm -rf "$1"
  cp -r base "$1"
}
recorded() { grep -o "\"$2\": \"[^\"]*\"" "$1/checkpoints/$(ls "$1/checkpoints" | tail -1)/manifest.json" | head -1; }

experiment "another model, seed, R, vocabulary or data on resume" "error that names the field"
fresh run
expect 2 "would change the run: --cell gru \(the run has lstm\).*--override" "$SEQTRAIN" --run run --cell gru
expect 2 "--seed 7 \(the run has 1\)" "$SEQTRAIN" --run run --seed 7
expect 2 "--replicas 4 \(the run has 8\)" "$SEQTRAIN" --run run --replicas 4
expect 2 "--replicas 4 \(the run has 8\), --seed 7" "$SEQTRAIN" --run run --seed 7 --replicas 4 --override dropout
expect 3 "the vocabulary of data set fewer .*--override vocabulary" "$SEQTRAIN" --run run --data fewer
expect 3 "data set same-vocabulary .*--override data" "$SEQTRAIN" --run run --data same-vocabulary
expect 2 "--override lr: not a field.* data, vocabulary, cell," "$SEQTRAIN" --run run --override seed,lr
expect 2 "cannot take over the checkpoint's parameters: it has rnn.weight_ih_l0 \(80 x 8\)" "$SEQTRAIN" --run run --hidden 20 --override hidden
expect 2 "cannot take over .* it has embedding.weight" "$SEQTRAIN" --run run --data fewer --override vocabulary
same_tree base/checkpoints run/checkpoints
outcome 9

experiment "--replicas on resume, with --override replicas" "streams cut anew, said, recorded, repeatable"
for name in once twice; do
  fresh $name
done
expect 0 "epoch 2 goes on at window [0-9]+ of [0-9]+ \(it was [0-9]+ of [0-9]+\), states at zero: equal in statistics, not in bits" \
  "${command[@]}" --run once --replicas 3 --override replicas
grep -q "of this epoch's tokens, [1-9][0-9]* are read twice and [1-9][0-9]* not at all" .out || bad "the mixture is not counted"
grep -q "epoch 2 is mixed, its streams were cut anew at step $steps" .out || bad "the audit of epoch 2 does not say that it is mixed"
grep -q '"event": "recut".*"replicas_before": 8.*"replicas": 3' once/metrics.jsonl || bad "not in the metrics"
grep -q '"event": "resume".*"override": "replicas"' once/metrics.jsonl || bad "the override is not in the metrics"
[ "$(recorded once recut_step)" = "\"recut_step\": \"$steps\"" ] || bad "recut_step is $(recorded once recut_step), expected $steps"
[ "$(recorded once recut_replicas)" = '"recut_replicas": "8"' ] || bad "recut_replicas is $(recorded once recut_replicas)"
[ "$(recorded once replicas)" = '"replicas": "3"' ] || bad "replicas is $(recorded once replicas)"
# Killed before the first checkpoint of the new cut and after it: the same bytes on 3 ranks.
SEQ_CRASH_AT=train-exchange:3:1 run_mpi 3 "${command[@]}" --run twice --replicas 3 --override replicas >log.txt 2>&1 && bad "was not killed"
SEQ_CRASH_AT=train-exchange:30 "${command[@]}" --run twice --replicas 3 --override replicas >log.txt 2>&1 && bad "was not killed"
grep -q "streams are cut anew" log.txt || bad "the second time, streams were not cut anew"
expect 0 "finished at step 150" run_mpi 3 "$SEQTRAIN" --run twice
grep -q "cut anew:" .out && bad "the run was cut a third time"
same_tree once/checkpoints twice/checkpoints
outcome 3

experiment "other windows, seed, optimiser and data, overridden by name" "taken, said"
fresh run
expect 0 "seed is 7 from here on, the run had 1" "${command[@]}" --run run --seed 7 --override seed --steps 45
grep -q "cut anew" .out && bad "another seed has cut the streams anew"
expect 0 "windows of 20, become 8 of 2, 9;" "${command[@]}" --run run --seed 7 --window 9 --override window --steps 50
# A bad number after the cut is placed by the new one: the epoch and window that the recut has begun with, and steps since.
place() { sed -nE "s/.*goes on at window ([0-9]+) of.*/\1/p" .out | head -1; }
fresh placed
expect 0 "step 47, epoch 2, .* is skipped" "${command[@]}" --run placed --window 9 --override window --steps 50 --on-bad-numbers skip --inject nan-loss:step=47
window=$(($(place) + 46 - steps))
grep -q "\"event\": \"bad_number\".*\"step\": 47, \"epoch\": 2, \"window\": $window," placed/metrics.jsonl ||
  bad "expected window $window of epoch 2: $(grep bad_number placed/metrics.jsonl)"
# A cut of one window an epoch begins the running epoch again: that one is mixed, the next is whole.
fresh placed
expect 0 "finished at step $((steps + 2))" "${command[@]}" --run placed --window 60000 --override window --steps $((steps + 2))
[ "$(grep '"audit"' placed/metrics.jsonl | sed 's/.*"verdict": "\([a-z ]*\)".*/\1/' | tr '\n' ,)" = "each token once,mixed,each token once," ] ||
  bad "audits of a cut of one window: $(grep '"audit"' placed/metrics.jsonl)"
expect 0 "the checkpoint has no moments for this optimiser: they begin at zero" \
  "${command[@]}" --run run --seed 7 --window 9 --optimizer adagrad --override optimizer --steps 55
grep -q '"unseen": "50"' run/checkpoints/step-000000055/manifest.json || bad "the new moments' count of updates does not begin at zero"
expect 0 "cut anew" "${command[@]}" --run run --seed 7 --window 9 --optimizer adagrad --data same-vocabulary --override data --steps 60
grep -q "are read twice" .out && bad "what other data has read twice cannot be known"
expect 0 "finished at step 90" "$SEQTRAIN" --run run --steps 90
outcome 5

experiment "another CPU, other kernels on resume and among ranks" "warning; among ranks: 2"
fresh run
echo "Some Other CPU" >run/cpu.txt
expect 0 "the run was on a CPU Some Other CPU, this is .*: the same order of arithmetic gives the same bits" "$SEQTRAIN" --run run --steps 45
expect 0 "finished at step 50" "$SEQTRAIN" --run run --steps 50
grep -q "Some Other CPU" .out && bad "the CPU was not recorded"
expect 0 "was written with arithmetic [a-z]+, here it is openblas 0[.0-9]+ [A-Za-z0-9]+: results are equal in statistics, not in bits" \
  "$SEQTRAIN" --run run --steps 55 --kernels openblas
expect 2 "rank 1 [(]host .*--kernels is portable on rank 1, openblas on rank 0" \
  run_mpi 2 bash "$SUPPORT/by_rank.sh" "$SEQTRAIN" --run run --steps 60 --kernels openblas ::: "$SEQTRAIN" --run run --steps 60 --kernels portable
outcome 4

experiment "ranks with other libraries for products" "2 where they were told to; a warning where one name finds two"
small=$BUILD/tests/support/libsmall_blas_good.so
mkdir here there
cp "$small" here/libproducts.so
cp "$small" there/libproducts.so
echo >>there/libproducts.so
ranks=("$SEQTRAIN" --data data --layers 1 --hidden 8 --embed 8 --batch 2 --window 20 --replicas 2 --steps 4)
expect 2 "rank 1 [(]host .*--blas is there/libproducts.so on rank 1, here/libproducts.so on rank 0" \
  run_mpi 2 bash "$SUPPORT/by_rank.sh" "${ranks[@]}" --run libraries --blas here/libproducts.so ::: "${ranks[@]}" --run libraries --blas there/libproducts.so
expect 2 "rank 1 [(]host .*--blas is not given on rank 1, here/libproducts.so on rank 0" \
  run_mpi 2 bash "$SUPPORT/by_rank.sh" "${ranks[@]}" --run libraries --blas here/libproducts.so ::: "${ranks[@]}" --run libraries
expect 2 "rank 1 [(]host .*--blas libproducts.so: cannot be loaded" \
  run_mpi 2 bash "$SUPPORT/by_rank.sh" env LD_LIBRARY_PATH=here "${ranks[@]}" --run libraries --blas libproducts.so ::: "${ranks[@]}" --run libraries --blas libproducts.so
absent libraries
expect 0 "rank 1 on host .* computes with arithmetic libproducts.so [0-9a-f]+, rank 0 on .* with libproducts.so [0-9a-f]+: the bits depend on which rank" \
  run_mpi 2 bash "$SUPPORT/by_rank.sh" env LD_LIBRARY_PATH=here "${ranks[@]}" --run libraries --blas libproducts.so ::: \
  env LD_LIBRARY_PATH=there "${ranks[@]}" --run libraries --blas libproducts.so
outcome 4
finish

# The same bytes for every number of ranks and threads: whole checkpoint directories of P = 1 (alone), 1, 2 and 4 ranks are compared.
source "$SUPPORT/common.sh"
make_text 400 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options=(--data data --replicas 4 --layers 2 --hidden 24,17 --embed 12 --feedforward 11 --dropout 0.2 --batch 3 --window 12
  --optimizer adam --clip-norm 0.3 --steps 45 --epochs 9 --validate-every 20 --keep 9 --schedule plateau --decay 0.5 --warmup 5)
for cell in lstm lstm-peephole gru gru-reset-after gru-simple rnn; do
  rm -rf run-*
  expect 0 finished "$SEQTRAIN" "${options[@]}" --cell $cell --run run-alone
  for ranks in 1 2 4; do
    expect 0 finished run_mpi $ranks "$SEQTRAIN" "${options[@]}" --cell $cell --run run-$ranks
    same_tree run-alone/checkpoints run-$ranks/checkpoints
  done
done
[ "$(ls run-alone/checkpoints | wc -l)" -eq 3 ] || bad "expected checkpoints of steps 20, 40 and 45"
expect 2 "must divide" run_mpi 3 "$SEQTRAIN" "${options[@]}" --run run-3
expect 0 "equal in statistics, not in bits" run_mpi 2 "$SEQTRAIN" "${options[@]}" --replicas 6 --steps 3 --run run-6 --batch 1
# Threads change nothing either, alone and in ranks, in both precisions.
for precision in fp32 bf16; do
  rm -rf run-*
  expect 0 finished "$SEQTRAIN" "${options[@]}" --hidden 70,17 --precision $precision --steps 12 --run run-alone
  expect 0 finished "$SEQTRAIN" "${options[@]}" --hidden 70,17 --precision $precision --steps 12 --threads 3 --run run-threads
  expect 0 finished run_mpi 2 "$SEQTRAIN" "${options[@]}" --hidden 70,17 --precision $precision --steps 12 --threads 2 --run run-both
  same_tree run-alone/checkpoints run-threads/checkpoints
  same_tree run-alone/checkpoints run-both/checkpoints
done
# Gradients of embedding rows that only some ranks have (an untied embedding, few tokens in a window), with a rule that leaves the
# other rows alone and with one that does not; clipping by norm and by element.
expect 0 train "$SEQPREP" --unit word --valid 0.1 -o words text.txt
options=(--data words --replicas 4 --layers 1 --hidden 20 --embed 150 --batch 1 --window 3 --steps 30 --epochs 9 --clip-norm 0.5 --clip-element 0.02)
for rule in "sgd --lr 0.5" "momentum --lr 0.1"; do
  rm -rf run-*
  expect 0 finished "$SEQTRAIN" "${options[@]}" --optimizer $rule --run run-alone
  for ranks in 2 4; do
    expect 0 finished run_mpi $ranks "$SEQTRAIN" "${options[@]}" --optimizer $rule --run run-$ranks
    same_tree run-alone/checkpoints run-$ranks/checkpoints
  done
done
finish

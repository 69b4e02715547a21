# Sampled and adaptive output layers: the same bytes for P = 1 (alone), 1, 2 and 4 ranks, and over a stop and a resume on another number.
source "$SUPPORT/common.sh"
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options=(--data data --replicas 4 --layers 1 --hidden 18 --embed 18 --dropout 0.2 --batch 3 --window 12 --epochs 9 --validate-every 10 --keep 9)
for output in "sampled --samples 6" "sampled --samples 6 --tied" "adaptive --cutoffs 5,12"; do
  rm -rf run-*
  expect 0 finished "$SEQTRAIN" "${options[@]}" --steps 20 --output $output --run run-alone
  for ranks in 1 2 4; do
    expect 0 finished run_mpi $ranks "$SEQTRAIN" "${options[@]}" --steps 20 --output $output --run run-$ranks
    same_tree run-alone/checkpoints run-$ranks/checkpoints
  done
  expect 0 finished run_mpi 4 "$SEQTRAIN" "${options[@]}" --steps 13 --output $output --run run-stopped
  expect 0 "resumed" run_mpi 2 "$SEQTRAIN" --steps 20 --run run-stopped
  # The manifest holds --steps, and the first part one checkpoint more.
  for file in shard-0000.h5 shard-0003.h5; do
    same run-alone/checkpoints/step-000000020/$file run-stopped/checkpoints/step-000000020/$file
  done
done
# With all words drawn, sampled trains what full does: no row of weight or bias is left out.
for output in "full" "sampled --samples 1k" "full --tied" "sampled --samples 1k --tied"; do
  rm -rf run
  expect 0 "best validation loss" run_mpi 2 "$SEQTRAIN" "${options[@]}" --steps 20 --optimizer sgd --lr 5 --output $output --run run
  sed -n 's/.*best validation loss \([0-9.]*\).*/\1/p' .out >>losses
done
awk 'NR % 2 {full = $1} NR % 2 == 0 && ($1 - full) ^ 2 > 1e-6 {exit 1} END {exit NR != 4}' losses || bad "losses of full and sampled: $(tr '\n' ' ' <losses)"
finish

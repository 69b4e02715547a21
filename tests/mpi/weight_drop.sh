# Weight-drop, locked dropout and dropped words: the same bytes for one process and two ranks, and over a stop and a resume. The mask
# of a step is that of all replicas, and validation has none: it finds what seqeval finds in the checkpoint.
source "$SUPPORT/common.sh"
make_text 60 >text.txt
expect 0 train "$SEQPREP" --unit word --valid 0.1 -o data text.txt
options=(--data data --replicas 2 --layers 2 --hidden 12 --embed 8 --batch 4 --window 10 --epochs 9 --validate-every 8 --keep 9
  --dropout 0.2 --dropout-locked --embedding-dropout 0.1 --feedforward-between 9 --weight-drop 0.5)
expect 0 finished "$SEQTRAIN" "${options[@]}" --steps 16 --run run-alone
expect 0 finished run_mpi 2 "$SEQTRAIN" "${options[@]}" --steps 16 --run run-2
same_tree run-alone/checkpoints run-2/checkpoints
expect 0 finished "$SEQTRAIN" "${options[@]}" --steps 8 --run run-stopped
expect 0 "resumed" "$SEQTRAIN" --steps 16 --run run-stopped
same_tree run-alone/checkpoints/step-000000016 run-stopped/checkpoints/step-000000016
expect 0 finished "$SEQTRAIN" "${options[@]}" --replicas 1 --steps 8 --run run-one
sed -n 's/.*best validation loss \([0-9.]*\).*/\1/p' .out >losses
expect 0 loss "$SEQEVAL" run-one
awk '$1 == "loss" {print $2}' .out >>losses
awk 'NR == 1 {found = $1} NR == 2 && ($1 - found) ^ 2 > 1e-8 {exit 1} END {exit NR != 2}' losses || bad "losses: $(tr '\n' ' ' <losses)"
expect 2 "--bidirectional layers" "$SEQTRAIN" "${options[@]}" --bidirectional --steps 1 --run run-both
expect 2 "pool: the data set was prepared for the task lm" "$SEQTRAIN" --data data --pool max --run run-both
finish

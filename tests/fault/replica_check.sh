# One bit of one host's copy flips: --check-replicas finds the rank, its host and the parameter, and stops the job before that
# state is saved; the run then continues from the last checkpoint, to the undisturbed bytes. Nodes are made of one host's ranks.
source "$SUPPORT/common.sh"
launcher_environment 0
make_text 150 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
command=("$SEQTRAIN" --data data --replicas 4 --layers 1 --hidden 24 --embed 8 --batch 2 --window 16 --epochs 1 --steps 24
  --checkpoint-every 6 --keep 9 --no-checkpoint-background)
expect 0 finished "${command[@]}" --run whole

newest() { ls flip/checkpoints | tail -1; }
stopped_at() { printf 'replica check after step %d: ' "$1"; }

# flipped RANKS_PER_NODE FLIP EVERY DETECTED_AT TEXT NEWEST_CHECKPOINT: see src/train/fault_injection.h for FLIP.
flipped() {
  rm -rf flip
  SEQ_RANKS_PER_NODE=$1 SEQ_FLIP=$2 expect 6 "$(stopped_at "$4")$5" run_mpi 4 "${command[@]}" --check-replicas "$3" --run flip
  [ "$(newest)" = "$(printf 'step-%09d' "$6")" ] || bad "flip $2: the newest checkpoint is $(newest), expected that of step $6"
  SEQ_RANKS_PER_NODE=$1 expect 0 finished run_mpi 4 "${command[@]}" --check-replicas "$3" --run flip
  same_tree whole/checkpoints flip/checkpoints
}

experiment "a bit of one copy of the parameters flips, 2 nodes of 2 ranks" "exit 6, ranks and host named, not saved"
flipped 2 0:13:2 4 16 "rank 2 on host [^ ]+, rank 3 on host [^ ]+ differ from rank 0 .*first in the parameters of [a-z_.0-9]+$" 12
outcome 1
experiment "a bit of one copy of the optimiser's state flips, 4 nodes" "exit 6, rank and host named, not saved"
flipped 1 2:9:1 1 10 "rank 1 on host [^ ]+ differs from rank 0 " 6
outcome 1
experiment "a bit flips between two comparisons, before a checkpoint" "exit 6, not saved"
flipped 1 0:17:3 1000 18 "rank 3 on host [^ ]+ differs from rank 0 " 12
outcome 1

# Without a fault nothing happens, and the bytes are the same; without the option a fault goes on, so the tests above mean something.
rm -rf flip
SEQ_RANKS_PER_NODE=1 expect 0 finished run_mpi 4 "${command[@]}" --check-replicas 1 --run flip
same_tree whole/checkpoints flip/checkpoints
rm -rf flip
SEQ_RANKS_PER_NODE=1 SEQ_FLIP=0:13:0 expect 0 finished run_mpi 4 "${command[@]}" --run flip
diff -rq whole/checkpoints flip/checkpoints >/dev/null && bad "the flipped bit has changed nothing"
finish

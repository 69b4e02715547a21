# Numbers that are none: exit code 5, with step, place and the last good checkpoint.
source "$SUPPORT/common.sh"
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 2 --hidden 16 --embed 8 --batch 4 --window 8 --steps 40 --epochs 99 --checkpoint-every 5 --replicas 2)
expect 0 finished "${train[@]}" --run run --steps 10 --lr 0.01
expect 5 "step 1[0-9].*(not finite|--loss-limit).*last good checkpoint is run/checkpoints/step-000000010" "${train[@]}" --run run --lr 1e30 --clip-norm 0
expect 0 verified "$SEQINFO" run --verify
expect 5 "rank [01]: step" run_mpi 2 "${train[@]}" --run parallel --optimizer sgd --lr 1e30 --clip-norm 0
expect 5 "the limit is 0.5" "${train[@]}" --run limit --loss-limit 0.5
expect 5 "no checkpoint yet" "${train[@]}" --run limit --loss-limit 0.5
finish

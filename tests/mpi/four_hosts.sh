# Four hosts with two ranks each, exchanging beside backward: the bytes of one process, with a full and a sampled output layer; and
# a NaN, found on one host, ends the ranks of all.
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
hosts_begin 4
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options="--data data --replicas 8 --layers 2 --hidden 40,33 --embed 33 --dropout 0.1 --batch 2 --window 6 --steps 8 --epochs 9 --clip-norm 0.3"
for output in "full" "sampled --samples 6 --tied"; do
  rm -rf alone hosts
  expect 0 finished "$SEQTRAIN" $options --output $output --run alone
  expect 0 "4 hosts" hosts_mpirun 8 "$SEQTRAIN" $options --output $output --bucket 5k --run hosts
  same_tree alone/checkpoints hosts/checkpoints
done
expect 5 "rank [0-7]: step .*(nan nats|not finite|--loss-limit)" hosts_mpirun 8 "$SEQTRAIN" $options --optimizer sgd --lr 1e30 --clip-norm 0 --run numbers
finish

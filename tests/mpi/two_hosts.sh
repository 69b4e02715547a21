# Ranks on two hosts with a real TCP path between them: the bytes of one process.
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
hosts_begin
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options="--data data --replicas 4 --layers 2 --hidden 24 --embed 12 --dropout 0.1 --batch 3 --window 12 --steps 40 --epochs 9 --validate-every 20"
expect 0 finished "$SEQTRAIN" $options --run alone
for ranks in 2 4; do
  expect 0 "2 hosts" hosts_mpirun $ranks "$SEQTRAIN" $options --run hosts-$ranks
  same_tree alone/checkpoints hosts-$ranks/checkpoints
done
finish

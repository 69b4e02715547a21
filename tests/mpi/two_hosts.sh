# Ranks on two hosts with a real TCP path between them: the bytes of one process, whether the ranks of a host are whole subtrees
# (2 and 8 ranks) or not (6 ranks).
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
hosts_begin
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options="--data data --layers 2 --hidden 24 --embed 12 --dropout 0.1 --batch 3 --window 12 --steps 30 --epochs 9 --validate-every 20 --clip-norm 0.3"
expect 0 finished "$SEQTRAIN" $options --replicas 8 --run alone
for ranks in 2 8; do
  expect 0 "2 hosts" hosts_mpirun $ranks "$SEQTRAIN" $options --replicas 8 --run hosts-$ranks
  same_tree alone/checkpoints hosts-$ranks/checkpoints
done
# Exchange after backward, in small buckets beside it, on one rank a host and more.
expect 0 "2 hosts" hosts_mpirun 8 "$SEQTRAIN" $options --replicas 8 --run hosts-off --overlap off
expect 0 "2 hosts" hosts_mpirun 4 "$SEQTRAIN" $options --replicas 8 --run hosts-small --overlap on --bucket 1
same_tree alone/checkpoints hosts-off/checkpoints
same_tree alone/checkpoints hosts-small/checkpoints
# bf16 between hosts: the same bits for any ranks on them and any buckets, not those of one host.
expect 0 "bf16: sums between 2 nodes are rounded" hosts_mpirun 4 "$SEQTRAIN" $options --replicas 8 --wire bf16 --run narrow-4
expect 0 "2 hosts" hosts_mpirun 2 "$SEQTRAIN" $options --replicas 8 --wire bf16 --run narrow-2 --overlap off
same_tree narrow-4/checkpoints narrow-2/checkpoints
cmp -s alone/checkpoints/step-000000030/shard-0000.h5 narrow-4/checkpoints/step-000000030/shard-0000.h5 && bad "--wire bf16 rounds nothing"
expect 0 finished "$SEQTRAIN" $options --batch 1 --replicas 12 --run alone-12
expect 0 "2 hosts" hosts_mpirun 6 "$SEQTRAIN" $options --batch 1 --replicas 12 --run hosts-6
same_tree alone-12/checkpoints hosts-6/checkpoints
# Two hosts continue what one process began.
expect 0 finished "$SEQTRAIN" $options --replicas 8 --steps 20 --run both
expect 0 "2 hosts" hosts_mpirun 2 "$SEQTRAIN" $options --replicas 8 --run both
same_tree alone/checkpoints/step-000000030 both/checkpoints/step-000000030
finish

# Two and four hosts of two ranks, over plain, slow and delayed links: the bytes of one process.
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train="$SEQTRAIN --data data --replicas 8 --layers 2 --hidden 24 --embed 8 --dropout 0.1 --batch 2 --window 10 --epochs 9 --steps 24 --validate-every 15"
hosts_begin 4
expect 0 finished $train --run alone
experiment "2 and 4 hosts, 2 ranks each" "bytes of one process"
for count in 2 4; do
  hosts=$count
  expect 0 "on $count hosts" hosts_mpirun $((2 * count)) $train --run hosts-$count
  same_tree alone/checkpoints hosts-$count/checkpoints
done
outcome 2

experiment "4 hosts, one behind a link of 20 ms and 4 Mbit/s" "bytes of one process, no alarm of the watchdog"
hosts_slow 4 20 4000
begun=$(now)
sent=$(hosts_sent 4)
expect 0 "on 4 hosts" hosts_mpirun 8 $train --run slow --hang-timeout 60
took=$(since "$begun")
sent=$(($(hosts_sent 4) - sent))
same_tree alone/checkpoints slow/checkpoints
# No machine is faster than its wire.
awk -v took="$took" -v sent="$sent" 'BEGIN { exit !(sent > 100000 && took >= sent * 8 / 4e6) }' || bad "$sent bytes in $took s: the link was not slow"
outcome 1 "as expected: $sent bytes over it"
finish

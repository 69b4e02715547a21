# Elastic on several hosts, over TCP: eight replicas begun on two hosts, killed, continued by one process, killed, finished on four
# hosts of two ranks: the undisturbed bytes. And a flipped bit in one host's copy, found by --check-replicas.
source "$SUPPORT/common.sh"
source "$SUPPORT/hosts.sh"
hosts_begin 4
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
options="--data data --replicas 8 --layers 2 --hidden 24 --embed 12 --dropout 0.1 --batch 3 --window 20 --epochs 2 --checkpoint-every 5 --keep 4"
expect 0 finished "$SEQTRAIN" $options --run whole

killed() {
  local code=0
  "$@" >log.txt 2>&1 || code=$?
  was_killed $code || bad "exit code $code, expected 137: $(tail -1 log.txt)"
}

experiment "8 replicas on 2 hosts, 1 process, 4 hosts, killed twice" "same bytes"
hosts=2
killed hosts_mpirun 4 set SEQ_CRASH_AT=train-exchange:8:3 "$SEQTRAIN" $options --run torn
SEQ_CRASH_AT=train-epoch:1 killed "$SEQTRAIN" $options --run torn
hosts=4
expect 0 "on 4 hosts" hosts_mpirun 8 "$SEQTRAIN" $options --run torn
same_tree whole/checkpoints torn/checkpoints
outcome 2

experiment "a bit of one host's parameters flips, 2 hosts of 2 ranks" "exit 6, ranks and host named, not saved"
hosts=2
expect 6 "replica check after step 8: rank 2 on host seq2-[0-9]+, rank 3 on host seq2-[0-9]+ differ from rank 0 on host seq1-" \
  hosts_mpirun 4 set SEQ_FLIP=0:6:2 "$SEQTRAIN" $options --check-replicas 4 --run flip
[ "$(ls flip/checkpoints)" = step-000000005 ] || bad "checkpoints after the flip: $(ls flip/checkpoints)"
expect 0 "on 2 hosts" hosts_mpirun 4 "$SEQTRAIN" $options --check-replicas 4 --run flip
same_tree whole/checkpoints flip/checkpoints
outcome 1
finish

# Ranks that were not started alike: other options, data, program, or an error on one of them. All leave with the code and the message
# that names rank, host, field and both values; nobody waits, and no run directory is made.
# Long: 600
source "$SUPPORT/common.sh"
whole=$((${SCALE:-1} >= 10))
launcher_environment 0
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
sed s/river/lake/ text.txt >text2.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data2 text2.txt
small=("$SEQTRAIN" --layers 1 --hidden 16 --embed 8 --batch 2 --window 8 --replicas 2 --steps 12 --checkpoint-every 4)
# The watchdog is to have no part in it.
first=("${small[@]}" --data data --hang-timeout 1h)

# apart RUN OPTION...: rank 1 of 2 is given these. The time limit of the test ends a hang.
apart() { two "${first[@]}" --run "$1" ::: env ${setting+"$setting"} "${first[@]}" --run "$@"; }
two() { run_mpi 2 bash "$SUPPORT/by_rank.sh" "$@"; } # two COMMAND0... ::: COMMAND1...

experiment "one rank of 4 with other options, version, data, or an error" "all agree on exit 2 or 3: rank, host, field, both values"
expect 0 '^[0-9]+ cases' run_mpi 4 "$BUILD/tests/mpi/mpi_test_rank_agreement" data data2
cases=$(grep -Eo '^[0-9]+ cases' .out)
outcome "${cases% *}"

experiment "two ranks with other --lr" "exit 2 before anything is written"
expect 2 "rank 1 \(host $(uname -n)\).* rank 0 \(host $(uname -n)\): --lr is 0.05 on rank 1, 0.002 on rank 0" apart apart --lr 0.05
absent apart
outcome 1
[ $whole -eq 1 ] || finish

experiment "rank 1 of 2: usage error, no data, --help, other data, other version" "its message and code, nothing is written"
expect 2 "rank 1 \(host .*--wrong: unknown option" apart apart --wrong
expect 3 "rank 1 \(host .*nowhere" apart apart --data nowhere
expect 2 "the task is --help on rank 1, training on rank 0" apart apart --help
expect 2 "the hash of the data set is [0-9a-f]{32} on rank 1, [0-9a-f]{32} on rank 0" apart apart --data data2
setting=SEQ_OTHER_VERSION=9.9 expect 2 "rank 1 \(host .*\) runs seqtrain 9.9, rank 0" apart apart
absent apart
outcome 5

experiment "rank 1 of 2 with another --run" "exit 2, the directory that is not rank 0's is named"
mkdir elsewhere
expect 2 "--run: elsewhere is not the directory that rank 0 writes to" apart here --run elsewhere
expect 3 "all ranks need one that every host sees.*nowhere" apart here --run nowhere
outcome 2

experiment "a resumed run: rank 1 of 2 with other values, or data that the other has not" "exit 2; afterwards the bytes of a run that nothing happened to"
expect 0 finished "${first[@]}" --run whole
code=0
run_mpi 2 "${first[@]}" --run run --inject kill:step=7 >log.run 2>&1 || code=$?
was_killed "$code" || bad "run: exit code $code: $(tail -3 log.run)"
for option in "--lr 0.5" "--steps 20" "--hidden 8" "--optimizer sgd" "--batch 4" "--resume must" "--data data2"; do
  expect 2 'rank 1 \(host .* on rank 1, .* on rank 0' apart run $option
done
expect 2 'the hash of the data set is [0-9a-f]{32} on rank 1, none on rank 0' two "$SEQTRAIN" --run run ::: "$SEQTRAIN" --run run --data data
# What rank 1 says is the default, what rank 0 takes from the record is not.
expect 0 finished run_mpi 2 "${first[@]}" --run slow --lr 0.1 --steps 4
expect 2 '--lr is 0.002 on rank 1, 0.1 on rank 0' two "$SEQTRAIN" --run slow --steps 12 ::: "$SEQTRAIN" --run slow --steps 12 --lr 0.002
expect 0 finished run_mpi 2 "${first[@]}" --run run
same_tree whole/checkpoints run/checkpoints
outcome 10

experiment "--kernels auto on CPUs that differ" "all ranks take the best that all have, with a warning; the bytes of --kernels portable or unfused"
expect 0 finished "${first[@]}" --run portable --kernels portable
setting=SEQ_CPU=portable expect 0 'rank 1 on host .* has no .*: all ranks compute with portable' apart mixed
same_tree portable/checkpoints mixed/checkpoints
expect 0 finished apart told --kernels portable
same_tree portable/checkpoints told/checkpoints
# Rank 1 has no fused multiply-adds: "portable" would be another order there.
expect 0 finished "${first[@]}" --run unfused --kernels unfused
setting=SEQ_CPU=unfused expect 0 'rank 1 on host .* has no .*: all ranks compute with unfused' apart lesser
same_tree unfused/checkpoints lesser/checkpoints
cmp -s {portable,unfused}/checkpoints/step-000000012/shard-0000.h5 && bad "unfused arithmetic gives the bytes of fused arithmetic"
setting=SEQ_CPU=unfused expect 0 finished apart settled --kernels portable
same_tree unfused/checkpoints settled/checkpoints
expect 2 'this CPU does not have the instructions' env SEQ_CPU=portable "${first[@]}" --run never --kernels avx2
first+=(--dry-run --plan-ranks 2 --plan-format json)
setting=SEQ_CPU=portable expect 0 '"kernels": "portable"' apart none
outcome 5
finish

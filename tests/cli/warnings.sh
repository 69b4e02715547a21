# What seqtrain warns of at the start: more threads than cores, a warm-up that does not end.
source "$SUPPORT/common.sh"
make_text 200 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
small=(--data data --layers 1 --hidden 8 --embed 4 --batch 2 --window 5 --log-every 1 --quiet)
silent() { "$@" >.out 2>&1 && [ ! -s .out ] || bad "a failure, or a warning that nobody needs: $*: $(cat .out)"; }

# All ranks of this host are bound to its first core, then to all.
core=$(taskset -pc $$ | sed 's/.*: *//;s/[-,].*//')
rm -rf run
expect 0 'host .*: 1 rank with 2 threads in all share 1 core and wait' taskset -c "$core" "$SEQTRAIN" "${small[@]}" --run run --steps 2 --threads 2
rm -rf run
silent taskset -c "$core" "$SEQTRAIN" "${small[@]}" --run run --steps 2
if [ -n "$MPIEXEC" ]; then
  rm -rf run
  mpi_command 2 unbound
  expect 0 'host .*: 2 ranks with 2 threads in all share 1 core and wait' with_mpi "${launch[@]}" taskset -c "$core" "$SEQTRAIN" "${small[@]}" --run run --steps 2
  [ "$(grep -c warning .out)" -eq 1 ] || bad "not one warning: $(cat .out)"
fi
# A control group of version 1 with a quota, where one may be made.
group=/sys/fs/cgroup/cpu/seqtrain-test-$$
if mkdir $group 2>/dev/null && echo 50000 2>/dev/null >$group/cpu.cfs_quota_us; then
  rm -rf run
  expect 0 'host .*: 1 rank with 1 thread in all may use the time of 0.5 cores' bash -c 'echo $$ >"$0"/tasks && exec "$@"' $group "$SEQTRAIN" "${small[@]}" --run run --steps 2
else
  echo "skipped: a quota of a real control group: none may be made here"
fi
[ ! -d $group ] || rmdir $group

# A warm-up as long as the run or longer: the rate rises, with every schedule, and one is told.
rates() { sed -n 's/.*"event": "step".*"learning_rate": \([^,]*\).*/\1/p' run/metrics.jsonl | tr '\n' ' '; }
for schedule in cosine plateau; do # all: unit.optim.test_schedule
  rm -rf run
  expect 0 'warmup 4: the run has 4 steps: the learning rate rises to its end, to 0.4 of --lr 0.4' "$SEQTRAIN" "${small[@]}" --run run --steps 4 --lr 0.4 --warmup 4 --schedule $schedule
  [ "$(rates)" = "0.1 0.2 0.3 0.4 " ] || bad "--schedule $schedule, a warm-up of 4 in 4 steps: $(rates)"
  rm -rf run
  expect 0 'warmup 8: the run has 4 steps: .* to 0.2 of --lr 0.4' "$SEQTRAIN" "${small[@]}" --run run --steps 4 --lr 0.4 --warmup 8 --schedule $schedule
  [ "$(rates)" = "0.05 0.1 0.15 0.2 " ] || bad "--schedule $schedule, a warm-up of 8 in 4 steps: $(rates)"
done
rm -rf run # of an epoch, without --steps
expect 0 'warmup 100000: the run has [0-9]+ steps' "$SEQTRAIN" "${small[@]}" --batch 100 --window 20 --run run --epochs 1 --warmup 100000 --schedule cosine
rm -rf run
silent "$SEQTRAIN" "${small[@]}" --run run --steps 4 --lr 0.4 --warmup 3 --schedule cosine
[ "$(rates | cut -d' ' -f4)" = 0.4 ] || bad "after a warm-up of 3 steps: $(rates)"
expect 0 'last window of an epoch is shorter' bash -c '"$0" --help | tr -s "\n " " "' "$SEQTRAIN"
finish

# Killed at any moment, on any number of ranks, and continued by the same command line on another number: the same bytes in the end.
source "$SUPPORT/common.sh"
make_text 500 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
command=("$SEQTRAIN" --data data --replicas 4 --cell lstm --layers 2 --hidden 40 --embed 16 --dropout 0.1 --batch 2 --window 10
  --steps 400 --epochs 99 --validate-every 60 --checkpoint-every 7 --keep 4 --schedule cosine)
expect 0 finished "${command[@]}" --run whole

last_step() { ls "$1/checkpoints" 2>/dev/null | grep -E '^step-[0-9]+$' | tail -1; }

killed=0
for delay in 0.4 0.7 0.5 0.9 0.6 0.8 1.1 1.3; do
  for ranks in 2 4 1; do
    [ -n "$(last_step torn)" ] && [ "$(last_step torn)" = step-000000400 ] && break 2
    if [ $ranks -eq 1 ]; then
      "${command[@]}" --run "$work/torn" >>log.txt 2>&1 &
    else
      run_mpi $ranks "${command[@]}" --run "$work/torn" >>log.txt 2>&1 &
    fi
    sleep $delay
    pkill -KILL -f -- "--run $work/torn" && killed=$((killed + 1))
    wait
  done
done
expect 0 "finished|complete" "${command[@]}" --run "$work/torn"
echo "killed $killed times" >&2
[ $killed -ge 2 ] || bad "was killed $killed times only: the test has lost its point"
same_tree whole/checkpoints torn/checkpoints

# Signals and the time limit: exit code 75 with a checkpoint; the same command goes on.
for signal in USR1 TERM; do
  "${command[@]}" --run signal-$signal >log.txt 2>&1 &
  process=$!
  sleep 0.6
  kill -$signal $process
  code=0
  wait $process || code=$?
  [ $code -eq 75 ] || bad "SIG$signal: exit code $code, expected 75: $(tail -1 log.txt)"
  grep -q "stopped by SIG$signal" log.txt || bad "SIG$signal is not named: $(tail -1 log.txt)"
  expect 0 finished "${command[@]}" --run signal-$signal
  same_tree whole/checkpoints signal-$signal/checkpoints
done
# mpirun hands SIGUSR1 on to its ranks.
OMPI_MCA_odls_base_sigkill_timeout=1 run_mpi 2 "${command[@]}" --run $work/ranks >log.txt 2>&1 &
sleep 2
pkill -USR1 -f -- "-np 2 --quiet .*--run $work/ranks" || bad "mpirun was not found"
code=0
wait $! || code=$?
[ $code -eq 75 ] || bad "SIGUSR1 to mpirun: exit code $code, expected 75: $(tail -1 log.txt)"
expect 0 finished "${command[@]}" --run $work/ranks
same_tree whole/checkpoints ranks/checkpoints
expect 75 "stopped by" "${command[@]}" --run limit --time-limit 1
expect 0 finished run_mpi 2 "${command[@]}" --run limit --time-limit 0
same_tree whole/checkpoints limit/checkpoints

# Nothing but --run: everything else comes from the checkpoint.
expect 75 "stopped by" "${command[@]}" --run short --time-limit 1
expect 0 finished "$SEQTRAIN" --run short
same_tree whole/checkpoints short/checkpoints
expect 0 "complete|finished" "$SEQTRAIN" --run short
finish

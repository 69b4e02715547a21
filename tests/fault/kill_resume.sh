# Killed, on any number of ranks, and continued by the same command line on another number: the same bytes in the end.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
make_text 500 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
command=("$SEQTRAIN" --data data --replicas 4 --cell lstm --layers 2 --hidden 40 --embed 16 --dropout 0.1 --batch 2 --window 10
  --steps 400 --epochs 99 --validate-every 60 --checkpoint-every 7 --keep 4 --schedule cosine)
expect 0 finished "${command[@]}" --run whole

# UPDATE:RANK of a session's ranks, in turn 2, 4 and 1: there mpirun and all ranks are killed.
ranks=2
for place in 61:1 45:2 38 83:0 20:3 70; do
  job=(run_mpi $ranks)
  [ $ranks -gt 1 ] || job=()
  HOOK=kill_all signal_at train-update:$place KILL torn "${job[@]}" "${command[@]}" --run "$work/torn"
  was_killed $code || bad "$ranks ranks, killed at update $place: exit code $code: $(tail -1 log.torn)"
  ranks=$((ranks == 4 ? 1 : ranks * 2))
done
expect 0 finished "${command[@]}" --run "$work/torn"
[ "$(grep -c '"resume"' torn/metrics.jsonl)" -eq 6 ] || bad "expected six resumes"
same_tree whole/checkpoints torn/checkpoints

# Signals and the time limit: exit code 75 with a checkpoint; the same command goes on.
goes_on() { # goes_on NAME REASON COMMAND...
  [ $code -eq 75 ] || bad "$1: exit code $code, expected 75: $(tail -1 "log.$1")"
  grep -q "stopped by $2" "log.$1" || bad "$1: '$2' is not said: $(tail -1 "log.$1")"
  expect 0 finished "${@:3}"
  same_tree whole/checkpoints "$1/checkpoints"
}
for signal in USR1 TERM; do
  signal_at train-update:100 $signal signal-$signal "${command[@]}" --run "$work/signal-$signal"
  goes_on signal-$signal "SIG$signal after step 101 of 400" "${command[@]}" --run signal-$signal
done
# mpirun hands SIGUSR1 on to its ranks.
to_mpirun() { # SIGNAL NAME PROCESS
  kill "-$1" $(launcher_process "$2") || bad "the launcher was not found"
  await_signal "$3"
}
HOOK=to_mpirun signal_at train-update:100:0 USR1 ranks run_mpi 2 "${command[@]}" --run "$work/ranks"
goes_on ranks "SIGUSR1 after step 101 of 400" "${command[@]}" --run ranks
too_late() { sleep 4; }
HOOK=too_late signal_at train-update:10 - limit "${command[@]}" --run "$work/limit" --time-limit 4
goes_on limit "the time limit" run_mpi 2 "${command[@]}" --run limit --time-limit 0

# Nothing but --run: everything else comes from the checkpoint.
signal_at train-update:100 TERM short "${command[@]}" --run "$work/short"
goes_on short "SIGTERM after step 101 of 400" "$SEQTRAIN" --run short
expect 0 "complete|finished" "$SEQTRAIN" --run short
finish

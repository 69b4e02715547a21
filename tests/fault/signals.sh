# Signals that arrive while no step is being trained: in validation, whoever of the ranks gets them and however long it would take, and
# while data set and checkpoint are being loaded.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
make_text 30 >train.txt
for size in 2000 20000; do
  make_text $size >valid.txt
  expect 0 valid "$SEQPREP" --unit char --valid valid.txt -o data-$size train.txt
done
# One token a window and weights that no cache holds: a whole validation would take longer than this test may.
slow=(--data data-20000 --layers 1 --hidden 1024 --embed 16 --batch 1 --window 1 --replicas 2 --epochs 99 --steps 30 --validate-every 10 --log-every 1
  --checkpoint-every 5)
processes() { pgrep -f -- "^$SEQTRAIN .*--run $work/$1( |\$)"; } # of the ranks, not of their launcher
has() { grep -Eq "$1" "$2/metrics.jsonl" 2>/dev/null; }

# stop_in_validation NAME RANKS SIGNAL all|last EVENT TEXT: the event that comes before the validation is awaited, then all ranks or
# the last get a signal; seconds to the end in `took`.
stop_in_validation() {
  local code=0 targets job
  if [ $2 -eq 1 ]; then
    "$SEQTRAIN" "${slow[@]}" --run "$work/$1" >log.txt 2>&1 &
  else
    run_mpi $2 "$SEQTRAIN" "${slow[@]}" --run "$work/$1" >log.txt 2>&1 &
  fi
  job=$!
  wait_for has '"event": *"'$5'",.* "step": *10,' $1 || bad "$1 does not come to its validation: $(tail -3 log.txt)"
  targets=$(processes $1)
  [ $4 = all ] || targets=$(tail -1 <<<"$targets")
  local begun=$(now)
  kill -$3 $targets
  wait $job || code=$?
  took=$(since $begun)
  [ $code -eq 75 ] || bad "$1: exit code $code, expected 75: $(tail -3 log.txt)"
  grep -q "$6" log.txt || bad "$1: '$6' is not printed: $(tail -3 log.txt)"
  has '"event": *"validation"' $1 && bad "$1: validated to the end"
  [ "$(ls $1/checkpoints)" = "step-000000005
step-000000010" ] || bad "$1: its checkpoints are $(ls $1/checkpoints)"
}

experiment "SIGTERM, SIGUSR1 in a long validation" "checkpoint, 75, the validation is left"
stop_in_validation long 1 TERM all step 'stopped by SIGTERM after step 10 of 30'
stop_in_validation long 1 USR1 all resume 'stopped by SIGUSR1' # again, in the validation that the session begins with
outcome 2 '' "$took"
experiment "SIGUSR1 in a validation a tenth as long" "the same, in about the same time"
slow[1]=data-2000
stop_in_validation short 1 USR1 all step 'stopped by SIGUSR1 after step 10 of 30'
outcome 1 '' "$took"
slow[1]=data-20000
experiment "SIGUSR1 to one of 2 ranks in a long validation" "all leave it: checkpoint, 75"
stop_in_validation ranks 2 USR1 last step 'stopped by .* after step 10 of 30'
outcome 1 '' "$took"
experiment "time limit in a long validation, 2 ranks" "all leave it: checkpoint, 75"
expect 75 'stopped by the time limit' run_mpi 2 "$SEQTRAIN" "${slow[@]}" --run ranks --time-limit 4
has '"event": *"validation"' ranks && bad "validated to the end"
outcome 1

# Stopped again and again in validations, in the first window and in the last: the same bytes in the end.
quick=("$SEQTRAIN" --data data-2000 --cell gru --layers 1 --hidden 24 --embed 8 --batch 4 --window 40 --replicas 2 --epochs 99 --steps 12 --validate-every 4
  --keep 9)
experiment "SIGTERM in every validation" "75 at the step before it; continued, same bytes"
expect 0 finished "${quick[@]}" --run whole
for place in 1:4 300:4 500:8 1:8 700:12 460:12; do # WINDOW:STEP, of some 460 windows: the first of a session, of its second replica, of its second validation
  signal_at "train-validate:${place%:*}" TERM torn "${quick[@]}" --run "$work/torn"
  [ $code -eq 75 ] || bad "exit code $code, expected 75: $(tail -3 log.torn)"
  grep -q 'stopped by SIGTERM' log.torn || bad "SIGTERM is not named: $(tail -3 log.torn)"
  [ "$(ls torn/checkpoints | tail -1)" = "$(printf step-%09d ${place#*:})" ] || bad "stopped in window ${place%:*}: its checkpoints are $(ls torn/checkpoints)"
done
expect 0 finished "${quick[@]}" --run torn
for step in 004 008 012; do same_tree whole/checkpoints/step-000000$step torn/checkpoints/step-000000$step; done
outcome 6

# While it is loading: the program that is asked for the time left sends the signal.
mkdir bin
printf '#!/bin/sh\nkill -$SIGNAL $PPID\necho 1:00:00\n' >bin/squeue
chmod 755 bin/squeue
loading() { env PATH="$work/bin:$PATH" SLURM_JOB_ID=7 SIGNAL=$1 "${@:2}"; } # the environment of seqtrain, not of mpirun
experiment "SIGTERM, SIGUSR1 while a new run is loading" "75 before the first step, continues"
expect 75 'stopped by SIGTERM before the first step: there is nothing to save' loading TERM "${quick[@]}" --run new
absent new/checkpoints
absent new/metrics.jsonl
two_ranks() { run_mpi 2 env PATH="$work/bin:$PATH" SLURM_JOB_ID=7 SIGNAL=$1 "${quick[@]}" "${@:2}"; }
expect 75 'stopped by SIGUSR1 before the first step: there is nothing to save' two_ranks USR1 --run new
absent new/metrics.jsonl
expect 0 finished "${quick[@]}" --run new
same_tree whole/checkpoints new/checkpoints
outcome 2
experiment "SIGTERM, SIGUSR1 while a checkpoint is being loaded" "75, the checkpoint untouched, continues"
cp -r whole loaded
for signal in TERM USR1; do
  expect 75 'stopped by a signal while reading .*step-000000012, nothing is lost' loading $signal "${quick[@]}" --run loaded --steps 20
done
expect 75 'stopped by a signal while reading' two_ranks TERM --run loaded --steps 20
same_tree whole/checkpoints loaded/checkpoints
expect 0 finished "${quick[@]}" --run loaded --steps 20
expect 0 finished "${quick[@]}" --run whole --steps 20
same_tree whole/checkpoints loaded/checkpoints
outcome 3
finish

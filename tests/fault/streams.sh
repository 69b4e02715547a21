# Long: 900
# What the programs owe to whoever has started them: signals that were ignored, descriptors that were closed, a reader that has left, a
# device that is full; and interrupts, which leave nothing half-written.
source "$SUPPORT/common.sh"
source "$SUPPORT/ranks.sh"
source "$SUPPORT/checkpoints.sh"
needs_fault_points
make_text 60 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 8 --embed 4 --batch 2 --window 8 --replicas 2 --epochs 99 --steps 40 --log-every 1 --keep 99
  --checkpoint-every 20)
expect 0 finished "${train[@]}" --run "$work/whole"
sed 's/^[^ ]*/a/; 2~2s/^a/b/' text.txt >items.txt
expect 0 train "$SEQPREP" --task classify -o items items.txt
expect 0 finished "$SEQTRAIN" --data items --run classes --layers 1 --hidden 8 --embed 4 --steps 4
usual=(env --default-signal=INT,HUP,TERM,PIPE) # a shell without job control has SIGINT ignored in what it starts with &
whole=$((SCALE >= 10))                         # with ranks and launchers
ignoring=(env --ignore-signal=HUP,INT,TERM)    # not functions: $! is to be the program

# during POINT SIGNAL COMMAND...: the process stands still there, gets the signal and goes on; its exit code in `code`, its words in log.txt.
during() {
  local process
  code=0
  SEQ_HOLD_AT=$1 "${@:3}" >log.txt 2>&1 &
  process=$!
  wait_for stands $process
  kill -$2 $process
  kill -CONT $process
  wait $process || code=$?
  no_report "${*:3}"
}
ended() { [ $code -eq "$1" ] || bad "$2: exit code $code, expected $1: $(tail -3 log.txt)"; }

# Through a pipe into seqprep, which begins, gets a signal, and reads on.
mkfifo pipe
prepare() { # prepare SIGNAL ignored|obeyed COMMAND...
  local process
  code=0
  rm -rf out*
  "${@:3}" "$SEQPREP" --unit char -o out - <pipe >log.txt 2>&1 &
  process=$!
  exec 3>pipe
  head -c 500 text.txt >&3
  wait_for or_ended $process compgen -G 'out.*'
  kill -$1 $process
  [ $2 = obeyed ] || exec 3>&-
  wait $process || code=$?
  exec 3>&-
}

experiment "SIGHUP, SIGINT, SIGTERM that were ignored at the start (nohup, &)" "the work goes on to its end"
for signal in HUP INT TERM; do
  prepare $signal ignored "${ignoring[@]}"
  ended 0 "seqprep, ignored SIG$signal"
  expect 0 verified "$SEQINFO" out --verify
  rm -rf run
  during train-update:5 $signal "${ignoring[@]}" "${train[@]}" --run run
  ended 0 "seqtrain, ignored SIG$signal"
  same_tree whole/checkpoints run/checkpoints
done
during checkpoint.shard-digested HUP "${ignoring[@]}" "$SEQINFO" whole/checkpoints/step-000000020 --reshard 2 -o cut
ended 0 "--reshard, ignored SIGHUP"
outcome 7

experiment "SIGINT, SIGHUP to seqtrain, alone and one of 2 ranks" "checkpoint, 75; continued, same bytes"
for signal in INT HUP; do
  for ranks in 1 2; do
    [ $ranks -eq 1 ] || [ $whole -eq 1 ] || continue
    rm -rf run
    launch=()
    [ $ranks -eq 1 ] || launch=(run_mpi 2)
    signal_at train-update:25:$((ranks - 1)) $signal run ${launch[@]+"${launch[@]}"} "${usual[@]}" "${train[@]}" --run "$work/run"
    [ $code -eq 75 ] || bad "SIG$signal, $ranks ranks: exit code $code: $(tail -3 log.run)"
    grep -q "stopped by .*SIG$signal\|stopped by a signal to another rank" log.run || bad "SIG$signal is not named: $(tail -3 log.run)"
    [ -n "$(newest run)" ] || bad "SIG$signal, $ranks ranks: no checkpoint"
    expect 0 finished "${train[@]}" --run "$work/run"
    for step in 20 40; do same_tree whole/checkpoints/step-0000000$step run/checkpoints/step-0000000$step; done
  done
done
outcome $((2 + 2 * whole))
experiment "timeout -s INT, which sends it twice" "75"
expect 75 'stopped by SIGINT' "${usual[@]}" timeout --preserve-status -s INT 1 "${train[@]}" --steps 99999999 --epochs 999999 --run twice
outcome 1

experiment "a second SIGINT, while the first one's checkpoint is written" "130 at once; the half-written one does not count"
rm -rf run
SEQ_HOLD_AT=checkpoint.shard-synced "${usual[@]}" "${train[@]}" --checkpoint-every 0 --run "$work/run" --steps 99999999 --epochs 999999 --validate-every 99999999 \
  >log.txt 2>&1 &
job=$!
wait_for_text log.txt ' step 5/' $job
kill -INT $job
wait_for stands $job
sleep 0.3 # not the same wish
kill -INT $job
kill -CONT $job
code=0
wait $job || code=$?
ended 130 "second SIGINT"
[ -n "$(ls run/checkpoints)" ] || bad "nothing was being written"
[ -z "$(committed run)" ] || bad "the checkpoint was finished: $(committed run)"
expect 0 finished "${train[@]}" --run "$work/run"
for step in 20 40; do same_tree whole/checkpoints/step-0000000$step run/checkpoints/step-0000000$step; done
expect 0 verified "$SEQINFO" run --verify
outcome 1

experiment "interrupts of seqprep, seqinfo --reshard, seqsample, seqpredict, seqeval, seqtrain --dry-run" "the signal's code, nothing half-written"
cp -r whole cut-run
for signal in HUP:129 INT:130 TERM:143; do
  prepare ${signal%:*} obeyed "${usual[@]}"
  ended ${signal#*:} "seqprep, SIG${signal%:*}"
  [ -z "$(ls -d out* 2>/dev/null)" ] || bad "seqprep, SIG${signal%:*}: left $(ls -d out*)"
  during checkpoint.shard-digested ${signal%:*} "${usual[@]}" "$SEQINFO" cut-run/checkpoints/step-000000020 --reshard 3
  ended ${signal#*:} "--reshard, SIG${signal%:*}"
  same_tree whole cut-run
  during checkpoint.shard-digested ${signal%:*} "${usual[@]}" "$SEQINFO" cut-run/checkpoints/step-000000020 --reshard 3 -o interrupted
  ended ${signal#*:} "--reshard -o, SIG${signal%:*}"
  absent interrupted
  during reader.verified ${signal%:*} "${usual[@]}" "$SEQEVAL" whole
  ended ${signal#*:} "seqeval, SIG${signal%:*}"
  during reader.verified ${signal%:*} "${usual[@]}" "$SEQSAMPLE" whole
  ended ${signal#*:} "seqsample, SIG${signal%:*}"
  during reader.verified ${signal%:*} "${usual[@]}" "$SEQPREDICT" classes text.txt
  ended ${signal#*:} "seqpredict, SIG${signal%:*}"
done
code=0
"${usual[@]}" "$SEQTRAIN" --dry-run --data data --hidden 64 >log.txt 2>&1 &
wait_for grep -q seqtrain /proc/$!/comm # before, it is this shell, and would remove the test's files
kill -TERM $!
wait $! || code=$?
ended 143 "--dry-run, SIGTERM"
outcome 19

# closing DESCRIPTORS COMMAND...: any of 0, 1 and 2.
closing() {
  (
    [[ $1 != *0* ]] || exec 0<&-
    [[ $1 != *2* ]] || exec 2>&-
    [[ $1 != *1* ]] || exec 1>&-
    shift
    exec "$@"
  )
}
experiment "descriptors 0, 1, 2 closed, each combination" "the same files; results that cannot be written: 7"
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o kept text.txt
"$SEQSAMPLE" whole --quiet --tokens 9 >text-of-whole
for closed in 0 1 2 01 02 12 012; do
  rm -rf run out
  code=0
  closing $closed "${train[@]}" --run "$work/run" >log.txt 2>&1 || code=$?
  ended 0 "seqtrain without $closed"
  same_tree whole/checkpoints run/checkpoints
  whole_lines run
  ! grep -rlE 'tokens/s|finished at' run/.lock* run/metrics.jsonl run/*.txt || bad "without $closed: log lines in the run's files"
  code=0
  closing $closed "$SEQPREP" --unit char --valid 0.1 -o out text.txt >log.txt 2>&1 || code=$?
  ended 0 "seqprep without $closed"
  same_tree kept out
  for command in "$SEQSAMPLE whole --quiet --tokens 9" "$SEQPREDICT classes --quiet text.txt" "$SEQEVAL whole --quiet" "$SEQEVAL whole --score text.txt --quiet" "$SEQINFO whole"; do
    code=0
    closing $closed $command >log.txt 2>&1 || code=$?
    case $closed in
    *1*) ended 7 "$command without $closed" ;;
    *) ended 0 "$command without $closed" ;;
    esac
  done
done
# As the launchers start mpirun, which by itself takes what it writes to closed descriptors for signals.
cat >recipe.sh <<'END'
#!/bin/bash
source "$SOURCE/launch/common.sh"
code=0
run_mpirun 2 "$@" || code=$?
exit $code
END
chmod 755 recipe.sh
for closed in 12 012; do
  [ $whole -eq 1 ] || break
  rm -rf run
  code=0
  closing $closed ./recipe.sh "${train[@]}" --run "$work/run" || code=$?
  ended 0 "launcher without $closed"
  same_tree whole/checkpoints run/checkpoints
  ! grep -rlE 'tokens/s|finished at' run/.lock* run/metrics.jsonl || bad "launcher without $closed: log lines in the run's files"
done
outcome $((7 + 2 * whole))

# unread COMMAND...: its output goes to a pipe whose reader has left.
unread() {
  {
    (trap '' PIPE; while echo; do sleep 0.01; done) 2>/dev/null
    "$@" 2>&1
    echo $? >code.txt
  } | true
  code=$(cat code.txt)
}
into_full() { "$@" >/dev/full 2>&1; }
experiment "a log that nobody reads, or on a full device" "the run goes on to its end, same bytes"
rm -rf run
unread "${usual[@]}" "${train[@]}" --run "$work/run"
ended 0 "seqtrain, reader gone"
same_tree whole/checkpoints run/checkpoints
rm -rf run out
into_full "${train[@]}" --run "$work/run"
code=$?
ended 0 "seqtrain, full log"
same_tree whole/checkpoints run/checkpoints
unread "${usual[@]}" "$SEQPREP" --unit char --valid 0.1 -o out text.txt
ended 0 "seqprep, reader gone"
same_tree kept out
if [ $whole -eq 1 ]; then
  rm -rf run
  into_full run_mpi 2 "${train[@]}" --run "$work/run"
  code=$?
  ended 0 "2 ranks, full log"
  same_tree whole/checkpoints run/checkpoints
fi
outcome $((3 + whole))

experiment "a log whose reader stays and reads nothing (Ctrl-S, a full pipe), then reads again" "the run goes on, same bytes; missing lines are counted"
mkfifo stuck
exec 4<>stuck # both ends: a writer never learns that nobody reads
dd if=/dev/zero of=stuck bs=4096 count=16 status=none
rm -rf run
code=0
timeout 30 "${train[@]}" --run "$work/run" >&4 2>&1 || code=$?
ended 0 "seqtrain, full pipe"
same_tree whole/checkpoints run/checkpoints
rm -rf run
SEQ_HOLD_AT=train-update:25 "${train[@]}" --run "$work/run" >&4 2>&1 &
job=$!
wait_for stands $job
dd if=stuck of=/dev/null bs=4096 count=16 status=none
kill -CONT $job
code=0
wait $job || code=$?
ended 0 "seqtrain, a pipe that is read again"
same_tree whole/checkpoints run/checkpoints
dd if=stuck of=log.txt bs=65536 count=1 status=none
head -1 log.txt | grep -Eq 'seqtrain: warning: nobody read these messages for a while: [1-9][0-9]* are missing here$' || bad "not told: $(head -2 log.txt)"
grep -q 'finished at step 40' log.txt || bad "the end is missing: $(tail -1 log.txt)"
exec 4>&-
outcome 2
experiment "results into a full device, into a pipe without a reader" "7; 141 without a word, 7 where SIGPIPE is ignored"
results=("$SEQPREDICT classes text.txt" "$SEQSAMPLE whole --tokens 9" "$SEQEVAL whole" "$SEQEVAL whole --json" "$SEQEVAL whole --score text.txt" "$SEQINFO whole" "$SEQINFO data --verify")
for program in "$SEQPREP" "$SEQTRAIN" "$SEQSAMPLE" "$SEQPREDICT" "$SEQEVAL" "$SEQINFO"; do
  for option in help version man completion; do results+=("$program --$option"); done
done
for command in "${results[@]}"; do
  code=0
  $command >/dev/full 2>log.txt || code=$?
  ended 7 "$command >/dev/full"
done
for command in "${results[@]:0:7}" "$SEQTRAIN --help" "$SEQPREP --man"; do
  unread "${usual[@]}" $command
  ended 141 "$command | true"
  unread env --ignore-signal=PIPE $command
  ended 7 "$command | true, SIGPIPE ignored"
done
outcome 49
[ $whole -eq 1 ] || finish

experiment "nobody reads the messages of an mpirun" "it crashes and ends the ranks: a checkpoint, and the same bytes in the end"
rm -rf run
long=("${train[@]}" --steps 99999999 --epochs 999999 --validate-every 99999999 --checkpoint-every 0 --keep 2)
(launcher_environment 5; unread run_mpi 2 "${long[@]}" --run "$work/run")
for ((try = 0; try < 200; try++)); do # the ranks outlive it for a moment
  pgrep -f -- "^$SEQTRAIN .*--run $work/run( |\$)" >/dev/null || break
  sleep 0.05
done
grep -q '"event": *"stop"' run/metrics.jsonl || bad "no checkpoint at the end: $(tail -1 run/metrics.jsonl)"
expect 0 verified "$SEQINFO" run --verify
outcome 1

# launched SIGNAL CODE [nohup]: to the process group of a launcher, as a terminal sends it.
launched() {
  local job
  rm -rf run
  code=0
  setsid env --default-signal=INT,HUP ${3:-} ./recipe.sh "${long[@]}" --run "$work/run" >log.txt 2>&1 </dev/null &
  job=$!
  wait_for_text log.txt ' step 9/' $job
  kill "-$1" -- -$job
  [ -z "${3:-}" ] || { sleep 0.2; kill -USR1 $job; }
  wait $job || code=$?
  ended "$2" "launcher, SIG$1 $*"
  no_process_left run
  expect 0 verified "$SEQINFO" run --verify
}
experiment "a launcher's mpirun: Ctrl-C, a closed terminal, the same under nohup, a reader that leaves" "75 with a checkpoint; nohup and reader: goes on"
launched INT 75
launched HUP 75
launched HUP 75 nohup
grep -q 'stopped by SIGUSR1' log.txt || bad "nohup: $(tail -2 log.txt)"
rm -rf run
unread "${usual[@]}" ./recipe.sh "${train[@]}" --run "$work/run"
ended 0 "launcher, reader gone"
same_tree whole/checkpoints run/checkpoints
outcome 4

experiment "a launcher's mpirun: Ctrl-C twice, a rank stands still" "130 at once, no process left"
rm -rf run
SEQ_HOLD_AT=train-update:50:1 setsid env --default-signal=INT ./recipe.sh "${long[@]}" --run "$work/run" >log.txt 2>&1 </dev/null &
job=$!
wait_for or_ended $job stopped_processes run
kill -INT -- -$job
sleep 0.5
kill -INT -- -$job
code=0
wait $job || code=$?
ended 130 "launcher, Ctrl-C twice"
pkill -CONT -f -- "^$SEQTRAIN .*--run $work/run( |\$)" # it finds its launcher gone
no_process_left run
outcome 1
finish

# Long: 3000
# SIGKILL at random moments of a run that does little but save: 200 times a rank, 100 times mpirun, of which the ranks then are
# orphans for a while (the default run: a twentieth). Every checkpoint that survives is the uninterrupted run's, every resume succeeds.
source "$SUPPORT/common.sh"
source "$SUPPORT/checkpoints.sh"
prepare_reference --steps 150 --checkpoint-every 1 --validate-every 7
train+=(--keep 3)

# start RANKS: mpirun in `job`, its ranks in `ranks`, once they are at work. Recovered: the slowest that has begun to train.
start() {
  local lines=0 begun
  begun=$(now)
  [ ! -e run/metrics.jsonl ] || lines=$(wc -l <run/metrics.jsonl)
  run_mpi $1 "${train[@]}" --run "$work/run" >log.txt 2>&1 &
  job=$!
  wait_for or_ended $job has_lines run/metrics.jsonl . $((lines + 1))
  recovered=$(longer "$recovered" "$(since "$begun")")
  read -ra ranks <<<"$(pgrep -f -- "^$SEQTRAIN .*--run $work/run( |\$)" | tr '\n' ' ')"
}

# await PROCESS...: until they are gone.
await() {
  local process
  for process in "$@"; do
    wait_for is_gone $process || { bad "$context: process $process is still there"; kill -KILL $process; }
  done
}

is_saving() { # a checkpoint is being written, or removed
  local directory
  for directory in run/checkpoints/step-*; do
    [ -e "$directory/manifest.json" ] || return 0
  done
  [ -n "$(find run -name '*.tmp-*' 2>/dev/null)" ]
}

look() {
  if [ -n "$(committed run)" ]; then expect 0 verified "$SEQINFO" run --verify; fi
  all_known run reference
  whole_lines run
}

# A run that has come to its end: as it should be; another one begins.
renew() {
  [ "$(ls run/checkpoints)" = "$(ls once/checkpoints)" ] || bad "$context: other checkpoints are kept: $(ls run/checkpoints | tr '\n' ' ')"
  all_known run reference
  rm -rf run
}

kill_rank() {
  random ${#ranks[@]}
  kill -KILL "${ranks[drawn]}" 2>/dev/null
  wait $job
  await "${ranks[@]}"
}

# Orphaned ranks may finish their save. Every other time the next job starts as soon as rank 0 is gone: it waits for the other ranks.
kill_mpirun() {
  kill -KILL $(launcher_process run) 2>/dev/null
  wait $job
  if [ $((killed % 2)) -eq 0 ]; then
    await "${ranks[@]}"
  else
    await "$(cut -d ' ' -f 3 run/.lock)"
  fi
}

# repeat COUNT HOW
repeat() {
  local begun
  killed=0 saving=0 finished=0 detected=0 recovered=0
  rm -rf run
  while [ $killed -lt $1 ] && [ $failures -eq 0 ]; do
    random 2
    start $((2 + 2 * drawn))
    random 900
    sleep "$(printf 0.%03d $drawn)"
    context="$2 number $((killed + 1)), ${#ranks[@]} ranks, after $drawn ms"
    if [ "$(tail -1 log.txt | grep -c finished)" -gt 0 ] || ! kill -0 $job 2>/dev/null; then
      wait $job || bad "$context: ended with exit code $?: $(tail -1 log.txt)"
      finished=$((finished + 1))
      renew
      continue
    fi
    if is_saving; then saving=$((saving + 1)); fi
    begun=$(now)
    $2
    detected=$(longer "$detected" "$(since "$begun")")
    killed=$((killed + 1))
    look
  done 2>shell.txt
  grep -v Killed shell.txt >&2
  context="after $killed times $2"
  await "${ranks[@]}"
  expect 0 finished "${train[@]}" --run "$work/run"
  renew
  [ $saving -gt 0 ] || [ $killed -lt 10 ] || bad "$context: no checkpoint was being written: the test has lost its point"
  echo "$2: $killed times, $saving of them in a save; $finished runs came to their end" >&2
}
expect 0 finished "${train[@]}" --run once

experiment "SIGKILL of a random rank during saves" "every resume gives the same bytes"
repeat $((SCALE < 10 ? 10 : 20 * SCALE)) kill_rank
outcome $killed "$saving of them in a save, the same bytes" "$detected" "$recovered"
experiment "SIGKILL of mpirun during saves" "every resume gives the same bytes"
repeat $((SCALE < 10 ? 5 : 10 * SCALE)) kill_mpirun
outcome $killed "$saving of them in a save, the same bytes" "$detected" "$recovered"
finish

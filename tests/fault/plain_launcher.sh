# SIGTERM, SIGINT and SIGUSR1 to a plain mpirun or mpiexec, of the kind that the
# tests run with: a checkpoint before the end wherever the launcher leaves its
# ranks a second, and the same bytes after going on in any case.
# Long: 300
source "$SUPPORT/common.sh"
source "$SOURCE/launch/launcher.sh"
if [ "$SCALE" -lt 10 ] || [ -z "$MPIEXEC" ]; then
  echo "skipped: needs MPI, and ten seconds for each signal: long.plain_launcher" >&2
  exit 77
fi
launcher_environment 5
launcher_scratch=$work
launcher_command 2
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
train=("$SEQTRAIN" --data data --layers 1 --hidden 8 --embed 4 --batch 2 --window 8 --replicas 2 --epochs 9999 --validate-every 0
  --checkpoint-interval 0 --log-every 50)

# signalled SIGNAL GRACE: what ranks have of it (see launcher_grace).
signalled() {
  local job last code=0 step
  rm -rf run whole
  ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 setsid env --default-signal=INT "${launch[@]}" "${train[@]}" --steps 99999999 --run "$work/run" >log.txt 2>&1 </dev/null &
  job=$!
  until grep -q '"event": "step"' run/metrics.jsonl 2>/dev/null; do
    kill -0 $job 2>/dev/null || break
    sleep 0.05
  done
  kill "-$1" $job
  wait $job || code=$?
  for ((try = 0; try < 300; try++)); do # a launcher may leave its ranks behind for a moment
    pgrep -f -- "^$SEQTRAIN .*--run $work/run( |\$)" >/dev/null || break
    sleep 0.1
  done
  last=$(tail -n 1 run/metrics.jsonl)
  case $2/$last in
  none/*) ;;
  */'{"event": "stop"'*) ;;
  *) bad "SIG$1 to $launcher ($launcher_kind): exit code $code, no checkpoint: $last; $(tail -3 log.txt)" ;;
  esac
  step=$(sed -n 's/.*"step": \([0-9]*\).*/\1/p' <<<"$last")
  step=$((step + 20))
  expect 0 "finished at step $step" "${train[@]}" --steps $step --run "$work/run"
  expect 0 "finished at step $step" "${train[@]}" --steps $step --run "$work/whole"
  same_tree "$(printf 'run/checkpoints/step-%09d' $step)" "$(printf 'whole/checkpoints/step-%09d' $step)"
  expect 0 verified "$SEQINFO" run --verify
}
experiment "plain $(basename "$launcher") ($launcher_kind): SIGTERM, SIGINT, SIGUSR1" "a checkpoint where it leaves a second; same bytes after going on"
signalled TERM $launcher_grace
signalled INT $launcher_grace
signalled USR1 all
outcome 3
finish

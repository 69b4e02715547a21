# Long: 2400
# Killed at every step of the protocol that the programs name (seq_fault_point): whatever rank it is, the old checkpoint or the new
# one is valid, and the same command line comes to the bytes of a run that nothing happened to.
source "$SUPPORT/common.sh"
source "$SUPPORT/checkpoints.sh"
launcher_find
prepare_reference --steps 10 --checkpoint-every 2 --validate-every 6
needs_fault_points

# Where a killed run begins. fresh: nothing is there. grown: checkpoints 2 to 6, the newest to be validated first (a new manifest),
# and what earlier jobs left: half a line, half a checkpoint, a temporary file. hurt: the newest checkpoint is damaged.
expect 0 finished "${train[@]}" --run early --steps 7 --validate-every 1000 --keep 9
rm -r early/checkpoints/step-000000007 # validated
make_start() {
  rm -rf run
  [ $1 = fresh ] && return
  cp -r early run
  mkdir run/checkpoints/step-000000001
  echo half >run/checkpoints/step-000000001/shard-0000.h5
  printf '{"event": "st' >>run/metrics.jsonl
  echo half >run/config.ini.tmp-1
  [ $1 != hurt ] || flip run/checkpoints/step-000000006/shard-0001.h5 5000
}
train+=(--keep 2 --resume auto)
for start in fresh grown hurt; do
  make_start $start
  SEQ_CRASH_LIST=$work/points.$start expect 0 finished "${train[@]}" --run run
  ls run/checkpoints >kept.$start
  make_start $start
  expect 0 finished run_mpi 2 bash -c '[ ${!0} = 0 ] || export SEQ_CRASH_LIST=$1; exec "${@:2}"' "$launcher_rank" "$work/points.$start.other" "${train[@]}" --run run
  cmp -s <(ls run/checkpoints) kept.$start || bad "$start: other checkpoints on two ranks"
done

# No point of these layers is out of reach.
sort -u points.* >reached
for point in $(grep -rhoE 'seq_fault_point\([^;]*"(lock|metrics|checkpoint|retain|save|resume)\.[^;]*\)' "$SOURCE/src" | grep -oE '"[^"]*"' | tr -d '"' | sort -u) \
  {config.ini,vocabulary.tsv,manifest.json}.{created,written,synced,renamed,in-place}; do
  grep -qxF "$point" reached || bad "no run comes to the fault point $point"
done

# die START POINT TIME RANKS RANK: killed there, looked at, continued (on one rank, or the other way round). Recovered: the slowest
# run from there to the end.
die() {
  local start=$1 ranks=$4 code=0 begun
  context="$start, killed at $2 time $3, rank $5 of $ranks"
  make_start $start
  case $ranks in
  1) (SEQ_CRASH_AT=$2:$3 "${train[@]}" --run run; exit $?) >log.txt 2>&1 || code=$? ;;
  *) SEQ_CRASH_AT=$2:$3:$5 run_mpi $ranks "${train[@]}" --run run >log.txt 2>&1 || code=$? ;;
  esac
  [ $code -ne 0 ] || return 1 # the point is not passed so often
  was_killed $code || bad "$context: exit code $code, expected 137: $(tail -1 log.txt)"
  runs=$((runs + 1))
  case $start in
  fresh) [ -z "$(committed run)" ] || expect 0 verified "$SEQINFO" run --verify ;;
  grown) expect 0 verified "$SEQINFO" run --verify ;;
  hurt) [ -d run/checkpoints/step-000000006.damaged-0 ] || cmp -s run/checkpoints/step-000000006/shard-0001.h5 hurt.h5 || bad "$context: the damaged one is gone" ;;
  esac
  [ $start = hurt ] && [ ! -d run/checkpoints/step-000000006.damaged-0 ] || all_known run reference early
  begun=$(now)
  if [ $ranks -eq 1 ] && [ $((runs % 10)) -eq 0 ]; then
    expect 0 finished run_mpi 2 "${train[@]}" --run run
  else
    expect 0 finished "${train[@]}" --run run
  fi
  recovered=$(longer "$recovered" "$(since "$begun")")
  all_known run reference
  cmp -s <(ls run/checkpoints) kept.$start || bad "$context: other checkpoints are kept: $(ls run/checkpoints | tr '\n' ' ')"
  [ $start = fresh ] || sed -i '/^{"event": "st$/d' run/metrics.jsonl
  whole_lines run
  [ -z "$(find run -name '*.tmp-*')" ] || bad "$context: temporary files are left: $(find run -name '*.tmp-*')"
}
make_start hurt
cp run/checkpoints/step-000000006/shard-0001.h5 hurt.h5

experiment "crash at every step of the protocol" "the old or the new checkpoint is valid, same bytes on resume"
runs=0 recovered=0
if [ "$SCALE" -ge 10 ]; then starts="fresh grown hurt" times="1 2 3"; else starts=grown times=1; fi
for start in $starts; do
  for point in $(cat points.$start); do
    for time in $times; do
      die $start $point $time 1 0 || break
    done
  done
done
[ "$SCALE" -ge 10 ] || die hurt resume.setting-aside 1 1 0
[ "$SCALE" -ge 10 ] || die hurt resume.set-aside 1 1 0
[ "$SCALE" -ge 10 ] || die hurt checkpoint.shard-written 1 1 0 # of the one that was set aside
# Two ranks: every point of either (a few of them in the default run).
number=0
for start in $starts; do
  for rank in 0 1; do
    list=points.$start
    [ $rank -eq 0 ] || list=points.$start.other
    for point in $(cat $list); do
      number=$((number + 1))
      [ "$SCALE" -ge 10 ] || [ $((number % 16)) -eq $((SEED % 16)) ] || continue
      for time in $times; do
        die $start $point $time 2 $rank || break
      done
    done
  done
done
outcome $runs "as expected at $(wc -l <reached) points" - "$recovered" # a row that says broken has its deviations in the output
finish

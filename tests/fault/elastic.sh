# Eight replicas: started on four ranks, killed at a named place of a step, continued by one process, killed there again, finished
# by eight ranks: the bytes of the run that nobody disturbed. With other numbers of threads, other nodes, and at random places.
# Long: 1800
source "$SUPPORT/common.sh"
launcher_environment 0
make_text 300 >text.txt
expect 0 train "$SEQPREP" --unit char --valid 0.1 -o data text.txt
# 13 windows an epoch, the last one short, 26 steps in all.
command=("$SEQTRAIN" --data data --replicas 8 --layers 2 --hidden 24 --embed 12 --dropout 0.1 --batch 5 --window 20 --epochs 2
  --checkpoint-every 5 --keep 4 --clip-norm 0.3 --schedule plateau --log-every 1)
expect 0 "finished at step 26" "${command[@]}" --run whole

last_event() { tail -1 torn/metrics.jsonl | sed 's/.*"time": \([0-9.]*\).*/\1/'; }
began_again() { grep '"resume"' torn/metrics.jsonl | tail -1 | sed 's/.*"time": \([0-9.]*\).*/\1/'; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a - b }'; }

# session RANKS PLACE [OPTION...]: 0 is one process without MPI; without a PLACE it is to finish. A killed one counts as detected
# when its job has ended, as recovered when the next has read the checkpoint.
session() {
  local ranks=$1 place=$2 code=0 begun ended
  shift 2
  begun=$(now)
  if [ "$ranks" -eq 0 ]; then
    SEQ_CRASH_AT=$place "${command[@]}" --run torn "$@" >>log.txt 2>&1 || code=$?
  else
    SEQ_CRASH_AT=$place run_mpi "$ranks" "${command[@]}" --run torn "$@" >>log.txt 2>&1 || code=$?
  fi
  ended=$(now)
  [ -s torn/metrics.jsonl ] || bad "$ranks ranks: no metrics"
  if grep -q '"resume"' torn/metrics.jsonl; then recovered=$(longer "$recovered" "$(minus "$(began_again)" "$begun")"); fi
  if [ -z "$place" ]; then
    [ $code -eq 0 ] || bad "$ranks ranks: exit code $code, expected 0: $(tail -1 log.txt)"
  else
    was_killed $code || bad "$ranks ranks: exit code $code at $place, expected 137: $(tail -1 log.txt)"
    detected=$(longer "$detected" "$(minus "$ended" "$(last_event)")")
  fi
}

# undisturbed: the bytes, and the audit of both epochs, whoever read their parts.
undisturbed() {
  local epoch
  same_tree whole/checkpoints torn/checkpoints
  for epoch in 1 2; do
    grep '"audit"' torn/metrics.jsonl | grep "\"epoch\": $epoch," | grep -q '"verdict": "each token once"' ||
      bad "no audit of epoch $epoch"
  done
}

# elastic NAME PLACE_ON_4 PLACE_ON_1 [OPTION_ON_4 [OPTION_ON_1 [OPTION_ON_8]]]
elastic() {
  experiment "8 replicas on 4, 1, 8 ranks: $1" "same bytes"
  detected=0 recovered=0
  rm -rf torn
  session 4 "$2" --no-checkpoint-background ${4:-}
  session 0 "$3" --no-checkpoint-background ${5:-}
  session 8 "" ${6:-}
  [ "$(grep -c '"resume"' torn/metrics.jsonl)" -eq 2 ] || bad "expected two resumes"
  undisturbed
  outcome 2 "" "$detected" "$recovered"
}

elastic "killed in mid-epoch, in backward" train-backward:15:1 train-backward:44
elastic "killed in the exchange" train-exchange:7:3 train-exchange:6
elastic "killed in the update" train-update:8:2 train-update:6
elastic "killed at the end of an epoch" train-epoch:1:1 train-epoch:1
elastic "killed in validation" train-validate:2:0 train-validate:1
elastic "killed in the last step" train-update:26:1 train-epoch:1
elastic "with threads" train-exchange:9:2 train-backward:50 "--threads 2" "--threads 3" "--threads 2"

# over_nodes NAME [OPTION...]: with an exchange between nodes, too.
over_nodes() {
  experiment "8 replicas on 4 nodes of 1 rank, 1 process, 4 nodes of 2 ranks: $1" "same bytes"
  shift
  detected=0 recovered=0
  rm -rf torn
  SEQ_RANKS_PER_NODE=1 session 4 train-exchange:14:2 --no-checkpoint-background "$@"
  session 0 train-update:7 --no-checkpoint-background
  SEQ_RANKS_PER_NODE=2 session 8 "" "$@"
  undisturbed
  outcome 2 "" "$detected" "$recovered"
}

over_nodes "exchange after backward" --overlap off
over_nodes "exchange beside backward, small buckets" --overlap on --bucket 4096

# Random places, on random ranks, until the run is finished.
RANDOM=11
places=(backward exchange update validate epoch)
experiment "8 replicas on random ranks, killed at random places" "same bytes"
detected=0 recovered=0 kills=0
for ((round = 0; round < SCALE; round++)); do
  rm -rf torn
  for ((kill = 0; kill < 3; kill++)); do
    ranks=$((1 << RANDOM % 4))
    place=train-${places[RANDOM % 5]}
    case $place in
      train-epoch | train-validate) count=1 ;;
      train-backward) count=$((1 + RANDOM % (8 / ranks * 7))) ;;
      *) count=$((1 + RANDOM % 7)) ;;
    esac
    code=0
    SEQ_CRASH_AT=$place:$count:$((RANDOM % ranks)) run_mpi $ranks "${command[@]}" --run torn >>log.txt 2>&1 || code=$?
    [ $code -eq 0 ] || was_killed $code || bad "$ranks ranks: exit code $code at $place:$count: $(tail -1 log.txt)"
    kills=$((kills + (code != 0)))
  done
  session $((1 << RANDOM % 4)) ""
  undisturbed
done
[ $kills -ge $((2 * SCALE)) ] || bad "only $kills kills in $SCALE rounds: the test has lost its point"
outcome $kills "" - "$recovered"

experiment "ranks that do not divide the replicas" "exit 2, possible numbers named"
expect 2 "must divide the replicas of the run: 1, 2, 4, 8 \(the same bits\)$" run_mpi 3 "${command[@]}" --run refused
expect 2 "1, 3, 6, 12 \(the same bits\), 2, 4 \(equal in statistics\)$" run_mpi 5 "${command[@]}" --replicas 12 --run refused
expect 2 "must divide .*; or cut the streams anew: --replicas 3 --override replicas" run_mpi 3 "$SEQTRAIN" --run torn
expect 2 "must divide .*: 1, 1485, 2970, 5940, 11880, 23760, 47520 \(the same bits\), 2, 3, 4, .*, [0-9]+ \.\.\. \(equal" \
  run_mpi 7 "${command[@]}" --replicas 47520 --batch 1 --run refused
for ranks in $(sed 's/.*same bits), //; s/ \.\.\..*//; s/,//g' .out | tail -1); do
  [ $((47520 % ranks)) -eq 0 ] || bad "$ranks ranks are said to divide 47520 replicas"
done
absent refused/checkpoints
outcome 4
finish

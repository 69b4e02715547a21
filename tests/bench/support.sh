# Shared by the parts of launch/bench.sh; sourced. In the environment: BUILD (tree with the programs), WORK (directory for
# what they make), ROWS (file of figures, a JSON object a line).
set -euo pipefail
export LC_ALL=C
source "$(dirname "${BASH_SOURCE[0]}")/../../launch/launcher.sh"
bench=$BUILD/tests/bench/seqbench
log=$WORK/log.txt # what the programs say

# report PART NAME MEDIAN UNIT RUNS [RATIO OF]: a line of the table and a row, as seqbench writes them.
report() {
  printf '%-11s %-52s %11.4g %-9s' "$1" "$2" "$3" "$4"
  [ $# -lt 7 ] || printf ' %7.3f of %s' "$6" "$7"
  printf '\n'
  printf '{"part": "%s", "name": "%s", "median": %.6g, "unit": "%s"%s, "runs": %d}\n' "$1" "$2" "$3" "$4" \
    "$([ $# -lt 7 ] || printf ', "ratio": %.5g, "of": "%s"' "$6" "$7")" "$5" >>"$ROWS"
}

# skip PART NAME REASON: NAME may end with * (all figures that begin so).
skip() {
  printf '%-11s %-52s not measured here, %s\n' "$1" "$2" "$3"
  printf '{"part": "%s", "name": "%s", "skipped": "%s"}\n' "$1" "$2" "$3" >>"$ROWS"
}

calc() { awk "BEGIN {printf \"%.6g\", ($*)}"; }
median() { sort -g | awk '{value[NR] = $1} END {if (NR == 0) exit 1; print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2}'; }
# interval: of the median of the numbers on standard input, with 95 %, by their order (sign test).
interval() {
  sort -g | awk '{value[NR] = $1} END {
    chance = 0.5 ^ NR
    for (below = 1; 2 * (sum += chance) <= 0.05; below++) chance *= (NR - below + 1) / below
    if (below > 1) below--
    printf "%.3f .. %.3f", value[below], value[NR + 1 - below]}'
}

# field NAME EVENT: the number NAME (or another: ONE|OTHER) of each line of metrics with this event.
field() { sed -nE "/\"event\": \"$2\"/!d; s/.*\"($1)\": ([-+.0-9e]*).*/\2/p"; }
row_median() { sed -n 's/.*"median": \([-+.0-9e]*\).*/\1/p'; }
has_bf16() { grep -qw avx512_bf16 /proc/cpuinfo; }

# must COMMAND...: its output goes to the log; a failure ends the bench with the last of it.
must() {
  "$@" >>"$log" 2>&1 </dev/null || {
    tail -5 "$log" >&2
    echo "bench: failed: $*" >&2
    exit 1
  }
}

# processor_seconds COMMAND...: user and system time; what it prints is dropped.
processor_seconds() {
  local TIMEFORMAT='%U %S'
  { time "$@" >/dev/null 2>>"$log" </dev/null; } 2>&1 | awk '{print $1 + $2}'
}

# peak CORES PRECISION: floating-point operations a second of so many cores at the same time.
peak() {
  local core
  for core in $(seq "$1"); do
    "$bench" --only peak --runs 3 --seconds 0.05 --rows "$WORK/peak.$core" >/dev/null &
  done
  wait
  for core in $(seq "$1"); do
    sed -n "/multiply-add $2/p" "$WORK/peak.$core" | row_median | sort -g | tail -1
    rm "$WORK/peak.$core"
  done | awk '{sum += $1} END {print sum * 1e9}'
}

# The names of the models to measure: all, or MODEL.
models() { "$bench" --models | cut -d' ' -f1 | grep -x -- "${MODEL:-.*}"; }

# model NAME: sets cell vocabulary layers hidden batch window flops (a token) parameters data and model_options.
model() {
  local name
  while read -r name cell vocabulary layers hidden batch window flops parameters; do
    [ "$name" != "$1" ] || break
  done < <("$bench" --models)
  data=$WORK/data-$vocabulary
  [ -d "$data" ] || make_data "$vocabulary"
  model_options=(--data "$data" --cell "$cell" --layers "$layers" --hidden "$hidden" --embed "$hidden" --batch "$batch"
    --window "$window" --optimizer sgd --lr 0.1 --loss-limit 1000 --checkpoint-interval 0 --compression none --quiet)
}

# make_data V: a data set of random words; with <unk>, V of them.
make_data() {
  awk -v types="$1" 'BEGIN {
    srand(1)
    for (i = 1; i < types; i++) print "w" i
    for (i = 0; i < 400000; i++) printf "w%d%s", 1 + int(rand() * (types - 1)), i % 20 ? " " : "\n"
  }' >"$WORK/words.txt"
  must "$BUILD/seqprep" --unit word --eos none --quiet --output "$WORK/data-$1" "$WORK/words.txt"
}

# run_ranks RANKS RUN OPTION...: seqtrain, alone or under the launcher, into the fresh run directory RUN.
run_ranks() {
  local ranks=$1 run=$2 launch=()
  shift 2
  rm -rf "$run"
  [ "$ranks" -eq 1 ] || launcher_command "$ranks"
  must ${launch[@]+"${launch[@]}"} "$BUILD/seqtrain" --run "$run" --log-every 1 "${model_options[@]}" "$@"
}

# rate RUN: tokens a second, median over the steps but the first.
rate() { field tokens_per_second step <"$1/metrics.jsonl" | sed 1d | median; }

# Steps that take some seconds at half the peak of one core, three at least.
steps_for() { calc "3 + int(1.5e11 / ($flops * $batch * $window))"; }

# make_run: the untrained checkpoint of the model, $WORK/untrained.
make_run() { [ -d "$WORK/untrained" ] || run_ranks 1 "$WORK/untrained" --steps 1; }

# sampling_rate COUNT WEIGHTS: tokens a second of processor time; start and loading cancel.
sampling_rate() {
  local sample=("$BUILD/seqsample" "$WORK/untrained" --quiet --count "$1" --weights "$2") short=20 long=220 from to
  from=$(processor_seconds "${sample[@]}" --tokens $short)
  to=$(processor_seconds "${sample[@]}" --tokens $long)
  calc "$1 * ($long - $short) / ($to - $from)"
}

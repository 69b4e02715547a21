# Shared by the recipes; sourced, not run. A recipe is
#   datasets/NAME.sh --from DIR [--out DIR] [--np N] [--seeds N] [-- SEQTRAIN_OPTION...]
# DIR holds the data as published; the data set and the run go to OUT (default run/NAME). Repeating a recipe continues it.
# Programs come from build/ (launch/quickstart.sh makes it) or from the folder in SEQTRAIN_BIN.
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
launcher_environment
recipe=$(basename "$0" .sh)
bin=${SEQTRAIN_BIN:-$root/build}
from='' out=$root/run/$recipe ranks=$cores seeds=5

recipe_usage() {
  sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
  exit "$1"
}

while [ $# -gt 0 ]; do
  case $1 in
  --from) from=${2:?--from needs a directory}; shift 2 ;;
  --out) out=${2:?--out needs a directory}; shift 2 ;;
  --np) ranks=${2:?--np needs a number}; shift 2 ;;
  --seeds) seeds=${2:?--seeds needs a number}; shift 2 ;;
  --help | -h) recipe_usage 0 ;;
  --) shift; break ;;
  *) recipe_usage 2 >&2 ;;
  esac
done
more=("$@")

# needs FILE...: each must lie in --from.
needs() {
  [ -n "$from" ] || { echo "$recipe: --from DIR is missing" >&2; recipe_usage 2 >&2; }
  local file
  for file in "$@"; do
    [ -r "$from/$file" ] || fail "$from/$file: not found or not readable; the recipe's head says where the data is published"
  done
  [ -x "$bin/seqtrain" ] || fail "$bin/seqtrain: not built; run launch/quickstart.sh first, or set SEQTRAIN_BIN"
}

# prepare SEQPREP_OPTION...: the data set, once.
prepare() {
  mkdir -p "$out"
  [ -e "$out/data/dataset.json" ] || "$bin/seqprep" --output "$out/data" "$@"
}

# train RUN SEQTRAIN_OPTION...
train() {
  local run=$1
  shift
  [ -n "$launcher_kind" ] || launcher_find "$bin"
  run_mpirun "$ranks" "$bin/seqtrain" --data "$out/data" --run "$out/$run" "$@" ${more[@]+"${more[@]}"}
}

evaluate() { "$bin/seqeval" "$@"; }

# Recipes with several seeds: each is trained alone, on all cores.
# figure RUN SPLIT MEASURE: what seqeval tells of the run's best checkpoint.
figure() {
  "$bin/seqeval" "$1" --split "$2" --resamples 0 --json 2>/dev/null | grep -o "\"$3\": {\"value\": [-0-9.e]*" | head -1 | sed 's/.* //'
}

# spread NAME NUMBER...: median and range.
spread() {
  local name=$1
  shift
  printf '%s\n' "$@" | sort -g | awk -v name="$name" '{ v[NR] = $1 } END {
    m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
    printf "%-40s median %.4f, range %.4f to %.4f, %d seeds\n", name, m, v[1], v[NR], NR }'
}

# train_seeds DATA RUN SEQTRAIN_OPTION...: RUN-1, RUN-2 ..., one after the other.
train_seeds() {
  local data=$1 run=$2 seed
  shift 2
  for ((seed = 1; seed <= seeds; seed++)); do
    "$bin/seqtrain" --data "$data" --run "$run-$seed" --seed "$seed" --threads "$cores" --quiet "$@" ${more[@]+"${more[@]}"} || fail "$run-$seed"
  done
}

# tell_seeds RUN SPLIT MEASURE
tell_seeds() {
  local values=() seed
  for ((seed = 1; seed <= seeds; seed++)); do values+=("$(figure "$1-$seed" "$2" "$3")"); done
  spread "$(basename "$1") $2 $3" "${values[@]}"
}

# cpu_seconds RUN...: processor time of all sessions, of runs with --log-every 1M.
cpu_seconds() { cat "${@/%//metrics.jsonl}" | grep -o '"cpu_seconds": [0-9.]*' | awk '{ s += $2 } END { print s }'; }

# tell_seconds RUN
tell_seconds() {
  local values=() seed
  for ((seed = 1; seed <= seeds; seed++)); do values+=("$(cpu_seconds "$1-$seed")"); done
  spread "$(basename "$1") cpu seconds" "${values[@]}"
}

# Recipes with folds: the data sets OUT/NAME/FOLD become the runs OUT/run-NAME-SEED/FOLD.
# learn FOLD NAME SEED SEQTRAIN_OPTION...: one run, and its answers to the test part of the fold.
learn() {
  local data=$out/$2/$1 run=$out/run-$2-$3/$1
  mkdir -p "${run%/*}"
  { "$bin/seqtrain" --data "$data" --run "$run" --seed "$3" --quiet --keep 1 --log-every 1M "${@:4}" &&
    "$bin/seqeval" "$run" --split test --resamples 0 --per-item "$run/items.tsv"; } >"$run.log" 2>&1 || { cat "$run.log" >&2; return 1; }
}
export -f learn
export bin out

# fold_seeds NAME "FOLD..." SEQTRAIN_OPTION...: as many folds side by side as there are cores. Tells accuracy and wrong answers over
# all folds, and the seconds of all cores that a seed takes.
fold_seeds() {
  local name=$1 folds=$2 seed runs right=() wrong=() seconds=()
  shift 2
  for ((seed = 1; seed <= seeds; seed++)); do
    tr -s ' ' '\n' <<<"$folds" | xargs -P "$cores" -I{} bash -c 'learn "$@" || exit 255' _ {} "$name" "$seed" "$@" ${more[@]+"${more[@]}"} || fail "$name"
    runs=$out/run-$name-$seed
    right+=("$(awk 'FNR > 1 { n++; right += $NF } END { print right / n }' "$runs"/*/items.tsv)")
    wrong+=("$(awk 'FNR > 1 { wrong += !$NF } END { print wrong }' "$runs"/*/items.tsv)")
    seconds+=("$(cpu_seconds "$runs"/*/)")
  done
  spread "$name accuracy" "${right[@]}"
  spread "$name errors" "${wrong[@]}"
  spread "$name cpu seconds" "${seconds[@]}"
}

# tell_folds NAME "FOLD...": the accuracy in each fold, and the mean over the folds.
tell_folds() {
  local name=$1 folds=$2 fold seed values sums=()
  for fold in $folds; do
    values=()
    for ((seed = 1; seed <= seeds; seed++)); do
      values+=("$(awk 'FNR > 1 { n++; right += $NF } END { print right / n }' "$out/run-$name-$seed/$fold/items.tsv")")
      sums[seed]="${sums[seed]-} ${values[-1]}"
    done
    spread "$name, $fold left out" "${values[@]}"
  done
  mapfile -t values < <(printf '%s\n' "${sums[@]}" | awk '{ s = 0; for (i = 1; i <= NF; i++) s += $i; print s / NF }')
  spread "$name, mean of the folds" "${values[@]}"
}

# at_speed FACTOR FOLDER WAV...: copies in FOLDER whose header tells another sample rate, so that --resample plays them so much faster;
# bytes 24 to 31 are the sample rate and the bytes a second.
at_speed() {
  [ ! -e "$2" ] || return 0
  mkdir -p "$2.new"
  perl -e '
    my ($factor, $to) = splice @ARGV, 0, 2;
    for my $name (@ARGV) {
      open my $in, "<:raw", $name or die "$name: $!\n";
      local $/;
      my $wave = <$in>;
      substr($wave, 24, 8) = pack "V2", map { int($_ * $factor + 0.5) } unpack "V2", substr $wave, 24, 8;
      $name =~ s{.*/}{};
      open my $out, ">:raw", "$to/$name" or die "$to/$name: $!\n";
      print $out $wave or die "$to/$name: $!\n";
      close $out or die "$to/$name: $!\n";
    }' "$1" "$2.new" "${@:3}"
  mv "$2.new" "$2"
}

# A run over time: does it keep its speed? The quick start's model on a real text (TEXT, or the King James text), one rank, with
# nothing but steps; Adam and RMSProp, each with denormals flushed, as always, and with a build that keeps them.
source "$(dirname "$0")/../../launch/common.sh"
source "$(dirname "$0")/support.sh"
steps=${RUN_STEPS:-3000} # fewer, to try it
lines=60                 # of metrics.jsonl
[ "$steps" -ge $lines ] || fail_with 2 "RUN_STEPS=$steps: expected $lines or more"
kept=$BUILD-kept

make_text() {
  text=${TEXT:-$WORK/king-james.txt}
  [ -z "${TEXT:-}" ] || return 0
  (install_programs bible) >>"$log" 2>&1 && make_king_james "$text" && [ -s "$text" ]
}

# train_with PROGRAM RULE RUN
train_with() {
  must "$1" --data "$WORK/text-data" --run "$WORK/$3" "${quick_start_model[@]}" --optimizer "$2" --epochs 9999 --steps "$steps" \
    --log-every $((steps / lines)) --checkpoint-interval 0 --quiet
}

# figures RUN: for each line of metrics.jsonl but the first, tokens a second and processor seconds a million tokens.
figures() {
  grep '"event": "step"' "$WORK/$1/metrics.jsonl" | sed -E 's/.*"tokens": ([0-9]+), "tokens_per_second": ([-+.0-9e]+),.*"cpu_seconds": ([-+.0-9e]+).*/\1 \2 \3/' |
    awk 'NR > 1 {print $2, ($3 - before) / $1 * 1e6} {before = $3}'
}

# third WHICH COLUMN: the median of the first or last third of figures.
third() {
  awk -v which="$1" -v column="$2" '{value[NR] = $column}
    END {share = int(NR / 3); from = which == "first" ? 0 : NR - share; for (i = 1; i <= share; i++) print value[from + i]}' | median
}

# over_time COLUMN FORMAT: the median of each tenth.
over_time() {
  awk -v column="$1" '{print int((NR - 1) / 6), $column}' | sort -k1,1n -k2,2g |
    awk -v format="$2" '{if ($1 != part) {show(); count = 0} part = $1; value[++count] = $2} END {show()}
      function show() {if (count) printf format, (value[int((count + 1) / 2)] + value[int(count / 2) + 1]) / 2}'
}

# tell NAME RUN: lines over time and rows of a run that train_with has made.
tell() {
  local name=$1 all update
  all=$(figures "$2")
  printf '%-42s %s\n' "$name: tokens/s" "$(over_time 1 '%8.0f' <<<"$all")" "CPU seconds a million tokens" \
    "$(over_time 2 '%8.1f' <<<"$all")"
  report run "$name, last third" "$(third last 1 <<<"$all")" tokens/s 1 \
    "$(calc "$(third last 1 <<<"$all") / $(third first 1 <<<"$all")")" 'the first third'
  report run "$name, last third, CPU time" "$(third last 2 <<<"$all")" s/Mtoken 1 \
    "$(calc "$(third last 2 <<<"$all") / $(third first 2 <<<"$all")")" 'the first third'
  update=$(field session_share_update end <"$WORK/$2/metrics.jsonl")
  report run "$name, update" "$(calc "100 * $update")" % 1
}

if ! make_text; then
  skip run '*' 'no text: the packages bible-kjv and bible-kjv-text could not be installed; --text FILE names another'
  exit 0
fi
must "$BUILD/seqprep" --unit char --quiet --output "$WORK/text-data" "$text"
must configure "$kept" -DCMAKE_BUILD_TYPE=Release -DSEQ_TESTS=OFF -DSEQ_FLUSH_DENORMALS=OFF
must cmake --build "$kept" --parallel "$cores" --target seqtrain
for rule in Adam RMSProp; do
  train_with "$BUILD/seqtrain" "${rule,,}" flushed
  tell "$rule" flushed
  train_with "$kept/seqtrain" "${rule,,}" kept
  tell "$rule, denormals kept" kept
  rm -rf "$WORK/flushed" "$WORK/kept"
done

# What seqtrain --dry-run says of 1, 2, 4 and 8 ranks on this host against what they take: seconds of a step (median; the fastest one,
# for a machine that does other things, too) and memory (sum of the proportional set sizes). The report comes from one process alone;
# it and the runs take turns. MODEL: A by default.
source "$(dirname "$0")/support.sh"
rounds=${ROUNDS:-3}
most=${RANKS:-8} # fewer, to try it
model "${MODEL:-A}"
crowd=$WORK/crowd

# predict: a report for hosts with room for all these ranks and the cores of this one.
predict() {
  "$BUILD/seqtrain" --dry-run "${model_options[@]}" --ranks-per-node "$most" --plan-ranks "$most" --plan-format json \
    >"$WORK/report.json" 2>>"$log" || { tail -5 "$log" >&2; exit 1; }
}
predicted() { sed -nE "s/.*\"ranks\": $1,.*\"$2\": ([-+.0-9e]+).*/\1/p" "$WORK/report.json"; }

proportional() { # kB of all ranks
  local pid
  for pid in $(pgrep -f "seqtrain --run $crowd" || true); do
    grep -q '^seqtrain$' "/proc/$pid/comm" 2>/dev/null && cat "/proc/$pid/smaps_rollup" 2>/dev/null || true
  done | awk '/^Pss:/ {sum += $2} END {print sum + 0}'
}

# run RANKS: leaves the run's metrics; prints the most memory that was seen, in bytes.
run() {
  local now seen=0 steps=$((4 + 40 / $1))
  run_ranks "$1" "$crowd" --steps $steps --checkpoint-every $((steps / 2)) >&2 & # what a writer keeps is seen
  local job=$!
  while kill -0 $job 2>/dev/null; do
    now=$(proportional)
    [ "$now" -le "$seen" ] || seen=$now
    sleep 0.1
  done
  wait $job || exit 1
  calc "$seen * 1024"
}

list=()
for ((ranks = 1; ranks <= most; ranks *= 2)); do list+=($ranks); done
for ((round = 0; round < rounds; round++)); do
  predict
  for ranks in "${list[@]}"; do
    bytes=$(run $ranks)
    expected=$(predicted $ranks step_seconds)
    seconds=$(calc "$ranks * $batch * $window / $(rate "$crowd")")
    fastest=$(calc "$ranks * $batch * $window / $(field tokens_per_second step <"$crowd/metrics.jsonl" | sort -g | tail -1)")
    echo "$seconds $(calc "$seconds / $expected") $bytes $(calc "$bytes / $(predicted $ranks host_bytes)")" \
      "$fastest $(calc "$fastest / $expected")" >>"$WORK/scale-$ranks.txt"
  done
done
column() { cut -d' ' -f"$2" "$WORK/scale-$1.txt" | median; }
for ranks in "${list[@]}"; do
  name="${MODEL:-A}, $ranks rank$([ $ranks -eq 1 ] || echo s)"
  report scale "$name, step" "$(calc "1e3 * $(column $ranks 1)")" ms "$rounds" "$(column $ranks 2)" 'the predicted'
  report scale "$name, fastest step" "$(calc "1e3 * $(column $ranks 5)")" ms "$rounds" "$(column $ranks 6)" 'the predicted'
  report scale "$name, memory" "$(calc "$(column $ranks 3) / 1e6")" MB "$rounds" "$(column $ranks 4)" 'the predicted'
done

# Sentences of different lengths: whole training steps of two bidirectional layers, against the machine's peak and against PyTorch
# with packed sequences on the same batches, both in turn, the median of the ratios of pairs. Then the share of a CRF in a step.
# RAGGED_CLASSIFY and RAGGED_TAG name files of lengths, one a line; without them lengths are drawn. For the training parts of SST
# and WNUT17:
#   cut -d' ' -f2- stsa.fine.train | awk '{print NF}'
#   awk 'NF {n++} !NF {if (n) print n; n = 0} END {if (n) print n}' wnut17train.conll
# PAIRS: how many (default 9). The whole part stays on one core under taskset -c.
source "$(dirname "$0")/support.sh"
source "$(dirname "$0")/pytorch.sh"
pairs=${PAIRS:-9}

lengths_of() { # TASK: sets `lengths` to options of the bench, `batches` to what it makes of them
  local file=RAGGED_${1^^}
  lengths=()
  [ -z "${!file:-}" ] || lengths=(--lengths "${!file}")
  batches=$WORK/batches-$1
  "$bench" --batches ${lengths[@]+"${lengths[@]}"} >"$batches"
}

# measure MODEL: rows of the bench; `ours` and `share` of the first.
measure() {
  rm -f "$WORK/ours"
  "$bench" --only ragged --model "$1" --runs 1 --seconds 0 --rows "$WORK/ours" ${lengths[@]+"${lengths[@]}"} >/dev/null
  ours=$(row_median <"$WORK/ours" | head -1)
  share=$(sed -n 's/.*"ratio": \([-+.0-9e]*\).*/\1/p' "$WORK/ours" | head -1)
}

against_pytorch() { # MODEL TASK CLASSES
  local commands pair theirs rates=() shares=() ratios=() peers=()
  mapfile -t commands < <(printf "ragged $2 15000 256 2 256 $3 $batches %s 0\n" fp32 fp32-native)
  for pair in $(seq "$pairs"); do
    measure "$1"
    theirs=0
    for command in "${commands[@]}"; do
      rate=$(ask "$command")
      ! better "$rate" "$theirs" || theirs=$rate
    done
    rates+=("$ours") shares+=("$share") peers+=("$theirs") ratios+=("$(calc "$ours / $theirs")")
  done
  report ragged "$1" "$(printf '%s\n' "${rates[@]}" | median)" tokens/s "$pairs" \
    "$(printf '%s\n' "${shares[@]}" | median)" 'fp32 peak'
  report ragged "$1 against PyTorch" "$(printf '%s\n' "${rates[@]}" | median)" tokens/s "$pairs" \
    "$(printf '%s\n' "${ratios[@]}" | median)" "PyTorch's $(printf '%s\n' "${peers[@]}" | median)"
  echo "            intervals: share $(printf '%s\n' "${shares[@]}" | interval), ratio $(printf '%s\n' "${ratios[@]}" | interval)"
}

alone() { # MODEL
  "$bench" --only ragged --model "$1" --rows "$ROWS" ${lengths[@]+"${lengths[@]}"}
}

has_pytorch && start_pytorch
for model in classify-256 tag-256; do
  task=${model%-*}
  classes=13
  [ $task = tag ] || classes=5
  lengths_of $task
  if has_pytorch; then
    against_pytorch $model $task $classes
  else
    alone $model
    skip ragged "$model against PyTorch" "no PyTorch in $python (PYTHON names another interpreter)"
  fi
done
alone crf-256
alone crf-100

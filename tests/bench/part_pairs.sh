# Pairs of sentences: whole training steps of an encoder and a decoder with attention, against the machine's peak and against PyTorch
# with packed sequences on the same batches, both in turn, the median of the ratios of pairs.
# PAIRS_LENGTHS: a file of lengths, source and target a line; without it they are made. For the training part of multi30k:
#   paste -d' ' <(awk '{print NF}' train.lc.norm.tok.de) <(awk '{print NF + 1}' train.lc.norm.tok.en)
# PAIRS: how many runs of both (default 5).
source "$(dirname "$0")/support.sh"
source "$(dirname "$0")/pytorch.sh"
runs=${PAIRS:-5}
lengths=()
[ -z "${PAIRS_LENGTHS:-}" ] || lengths=(--lengths "$PAIRS_LENGTHS")
batches=$WORK/batches-pairs
"$bench" --only pairs --batches ${lengths[@]+"${lengths[@]}"} >"$batches"

against_pytorch() { # MODEL ORDER
  local commands run command theirs rate ours rates=() shares=() ratios=() peers=()
  mapfile -t commands < <(printf "pairs $2 8000 256 256 512 $batches %s 0\n" fp32 fp32-native)
  for run in $(seq "$runs"); do
    rm -f "$WORK/ours"
    "$bench" --only pairs --model "$1" --runs 1 --seconds 0 --rows "$WORK/ours" ${lengths[@]+"${lengths[@]}"} >/dev/null
    ours=$(row_median <"$WORK/ours")
    shares+=("$(sed -n 's/.*"ratio": \([-+.0-9e]*\).*/\1/p' "$WORK/ours")")
    theirs=0
    for command in "${commands[@]}"; do
      rate=$(ask "$command")
      ! better "$rate" "$theirs" || theirs=$rate
    done
    rates+=("$ours") peers+=("$theirs") ratios+=("$(calc "$ours / $theirs")")
  done
  report pairs "$1" "$(printf '%s\n' "${rates[@]}" | median)" tokens/s "$runs" \
    "$(printf '%s\n' "${shares[@]}" | median)" 'fp32 peak'
  report pairs "$1 against PyTorch" "$(printf '%s\n' "${rates[@]}" | median)" tokens/s "$runs" \
    "$(printf '%s\n' "${ratios[@]}" | median)" "PyTorch's $(printf '%s\n' "${peers[@]}" | median)"
  echo "            interval: ratio $(printf '%s\n' "${ratios[@]}" | interval)"
}

has_pytorch && start_pytorch
for order in feeding bahdanau luong; do
  if has_pytorch; then
    against_pytorch $order-512 $order
  else
    "$bench" --only pairs --model $order-512 --rows "$ROWS" ${lengths[@]+"${lengths[@]}"}
    skip pairs "$order-512 against PyTorch" "no PyTorch in $python (PYTHON names another interpreter)"
  fi
done

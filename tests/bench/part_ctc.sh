# CTC: loss and gradient against PyTorch's ctc_loss on as many items of the same size, both in turn on one thread, the median of
# the ratios of pairs; ours begins at the logits, PyTorch's at their log_softmax. Then training steps on utterances like strings of
# digits, against the machine's peak. PAIRS: how many (default 9).
source "$(dirname "$0")/support.sh"
source "$(dirname "$0")/pytorch.sh"
pairs=${PAIRS:-9}

losses() { # -> items a second
  rm -f "$WORK/ours"
  "$bench" --only ctc --model ctc --runs 3 --seconds 0.2 --rows "$WORK/ours" >/dev/null
  row_median <"$WORK/ours"
}

against_pytorch() {
  local pair ours theirs rates=() ratios=() peers=()
  for pair in $(seq "$pairs"); do
    ours=$(losses)
    theirs=$(ask 'ctc 200 40 30 32 0.6')
    rates+=("$ours") peers+=("$theirs") ratios+=("$(calc "$ours / $theirs")")
  done
  report ctc 'loss and gradient against PyTorch' "$(printf '%s\n' "${rates[@]}" | median)" items/s "$pairs" \
    "$(printf '%s\n' "${ratios[@]}" | median)" "PyTorch's $(printf '%s\n' "${peers[@]}" | median)"
}

if has_pytorch; then
  start_pytorch
  against_pytorch
else
  "$bench" --only ctc --model ctc --rows "$ROWS"
  skip ctc 'loss and gradient against PyTorch' "no PyTorch in $python (PYTHON names another interpreter)"
fi
"$bench" --only ctc --model strings-256 --rows "$ROWS"

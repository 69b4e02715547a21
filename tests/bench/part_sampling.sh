# seqsample on an untrained 2 x 650, V = 10,000 against the rate at which the weights alone can be read again and again.
source "$(dirname "$0")/support.sh"
model B
make_run

for kind in fp32 bf16 int8; do
  case $kind in fp32) bytes=4 ;; bf16) bytes=2 ;; int8) bytes=1 ;; esac
  bytes=$((flops / 6 * bytes)) # of the weights that a step reads; a training step does 6 operations on each
  for count in 1 8; do
    rates=() ratios=()
    for round in 1 2 3 4 5; do
      rm -f "$WORK/stream"
      "$bench" --only stream --stream-bytes "$bytes" --runs 3 --rows "$WORK/stream" >/dev/null
      rates+=("$(sampling_rate "$count" "$kind")")
      ratios+=("$(calc "${rates[-1]} / $count * $bytes / ($(row_median <"$WORK/stream") * 1e9)")")
    done
    report sampling "B $kind, batch $count" "$(printf '%s\n' "${rates[@]}" | median)" tokens/s 5 \
      "$(printf '%s\n' "${ratios[@]}" | median)" 'streaming its weights'
  done
done

# Checkpoints of 20 million parameters with momentum: megabytes a second, and how long the loop stands still.
source "$(dirname "$0")/support.sh"
model B
run_ranks 1 "$WORK/saving" --optimizer momentum --compression zstd --steps 12 --checkpoint-every 3 --keep 1
metrics=$WORK/saving/metrics.jsonl
events=$(grep -c '"event": "checkpoint"' "$metrics")
written=$(field 'write_seconds|seconds' checkpoint <"$metrics" | median)
stands=$(field 'stand_still_seconds|seconds' checkpoint <"$metrics" | median)
step=$(calc "$batch * $window / $(rate "$WORK/saving")")

# As many bytes of noise, plainly written to the same disk.
megabytes=$(calc "int(2 * 4 * $parameters / 1e6)")
must dd if=/dev/urandom of="$WORK/noise" bs=1M count="$megabytes"
begun=$(date +%s%N)
must dd if="$WORK/noise" of="$WORK/copy" bs=1M conv=fsync
plain=$(calc "($(date +%s%N) - $begun) / 1e9")
rm "$WORK/noise" "$WORK/copy"

report checkpoint 'B with momentum, written' "$(calc "$megabytes / $written")" MB/s "$events" "$(calc "$plain / $written")" \
  'a plain copy with fsync'
report checkpoint 'B with momentum, stand-still of the loop' "$(calc "1e3 * $stands")" ms "$events" \
  "$(calc "$stands / $step")" 'a step'

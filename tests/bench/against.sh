#!/bin/bash
# against.sh OLD_BUILD NEW_BUILD: whether training steps have become slower. Both builds train the same model on the same words, one
# thread, in turn; for each model of bench_models.c (MODEL: that one alone) the median of the ratios of pairs, new to old, and
# its 95 % interval. The target is an interval that reaches 0.99. PAIRS: how many (default 11). PRECISION: fp32 or bf16.
# Both are Release builds with -DSEQ_TESTS=ON -DSEQ_FAULT_INJECTION=OFF; the old one needs seqprep and seqtrain alone. The whole
# stays on one core under taskset -c, some four minutes with 11 pairs of all models; the machine should have nothing else to do.
[ $# -eq 2 ] || { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
old=$(cd "$1" && pwd) new=$(cd "$2" && pwd) || exit 2
BUILD=$new
WORK=$(mktemp -d)
ROWS=$WORK/rows.jsonl
trap 'rm -rf "$WORK"' EXIT
source "$(dirname "$0")/support.sh"
pairs=${PAIRS:-11}

# train BUILD: tokens a second of `model_options`.
train() {
  BUILD=$1 run_ranks 1 "$WORK/run" --threads 1 --steps "$(steps_for)" --precision "${PRECISION:-fp32}"
  rate "$WORK/run"
}

for name in $(models); do
  BUILD=$old model "$name" # what the old one has made both can read
  ratios=()
  for pair in $(seq "$pairs"); do
    if ((pair % 2)); then before=$(train "$old") after=$(train "$new"); else after=$(train "$new") before=$(train "$old"); fi
    ratios+=("$(calc "$after / $before")")
  done
  printf '%-20s %s\n' "$name" "$(printf '%s\n' "${ratios[@]}" | median) ($(printf '%s\n' "${ratios[@]}" | interval)), $pairs pairs, last $before -> $after tokens/s"
done

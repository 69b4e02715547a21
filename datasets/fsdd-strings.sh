#!/bin/bash
# FSDD, spoken digits, joined to strings of 1 to 7 of one speaker with 60 to 300 ms of quiet between them: which digits are said and when
# (transcribe, by CTC), and the digit of each frame (tag). 1,000 strings each of test and development recordings, made by seqprep once;
# training strings are joined anew each epoch.
# Source: the folder recordings (DIGIT_SPEAKER_INDEX.wav) of github.com/Jakobovski/free-spoken-digit-dataset.
# Known speakers: indices 5 to 9 test, 10 to 14 development, the others training, which are also played faster and slower.
# Options were chosen on the development part (datasets/README.md).
#   datasets/fsdd-strings.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs recordings
mapfile -t learned < <(ls "$from/recordings"/*_*_*.wav | grep -E '_(1[5-9]|[2-9][0-9])\.wav$')
[ ${#learned[@]} -gt 0 ] || fail "$from/recordings: no files DIGIT_SPEAKER_INDEX.wav with indices from 15 on"
speeds=(0.85 0.92 1.09 1.18)
for factor in "${speeds[@]}"; do at_speed "$factor" "$out/speed-$factor" "${learned[@]}"; done
# The first value of a frame is its energy, which says which frames are quiet.
strings=(--strings 7 --gap-least 3 --gap-most 15 --gap-level 1)

# data NAME FIELD SEQPREP_OPTION...: FIELD is what the first part of a file's name is.
data() {
  [ -e "$out/$1/dataset.json" ] ||
    "$bin/seqprep" --label-pattern "{$2}_{speaker}_{index}.wav" --test 'index<10' --valid 'index<15' --group-label speaker --normalise group \
      --resample 8000 --frame-shift 20 --energy yes --deltas 1 "${strings[@]}" --string-count 1000 --string-files "$out/$1-strings" --quiet --output "$out/$1" "${@:3}" \
      "$from/recordings" "${speeds[@]/#/$out/speed-}"
}
model=("${strings[@]}" --layers 1 --bidirectional --hidden 96 --forget-bias 1 --dropout 0.4 --input-noise 0.2 --feature-masks 2
  --feature-mask-width 6 --batch 16 --lr 0.004 --schedule cosine --validate-every 548 --keep 1 --log-every 1M)

# times RUN SPLIT: the share of correct digits whose time, the middle of the likeliest frame, lies within the digit's true interval.
# Digits are correct that stay in place when the answer is turned into the truth by the fewest edits.
times() {
  "$bin/seqpredict" "$1" --reader tsv --columns path=path,speaker=speaker --format tsv --times --quiet "$out/data-strings/$2.tsv" | awk -F'\t' '
    NR == FNR { split($0, f, " "); n = ++count[f[1]]; digit[f[1], n] = f[5]; begin[f[1], n] = f[3]; end[f[1], n] = f[3] + f[4]; next }
    FNR > 1 {
      name = $2; sub(/.*\//, "", name); sub(/\.npy$/, "", name)
      n = count[name]; m = split($8, said, " "); split($11, at, " ")
      for (i = 0; i <= n; i++) for (j = 0; j <= m; j++) {
        other = i && j ? cost[i - 1, j - 1] + (digit[name, i] != said[j]) : 1e9
        if (i && cost[i - 1, j] + 1 < other) other = cost[i - 1, j] + 1
        if (j && cost[i, j - 1] + 1 < other) other = cost[i, j - 1] + 1
        cost[i, j] = i + j ? other : 0
      }
      i = n; j = m
      while (i && j) {
        if (cost[i, j] == cost[i - 1, j - 1] + (digit[name, i] != said[j])) {
          if (digit[name, i] == said[j]) { right++; inside += at[j] >= begin[name, i] && at[j] <= end[name, i] }
          i--; j--
        } else if (cost[i, j] == cost[i - 1, j] + 1) i--; else j--
      }
    }
    END { print inside / right }' "$out/data-strings/$2.ctm" -
}

data data text --task transcribe
train_seeds "$out/data" "$out/digits" "${model[@]}" --time-masks 1 --time-mask-width 4 --epochs 28
for split in valid test; do
  tell_seeds "$out/digits" $split label_error_rate
  within=()
  for ((seed = 1; seed <= seeds; seed++)); do within+=("$(times "$out/digits-$seed" $split)"); done
  spread "digits $split times within" "${within[@]}"
done
tell_seconds "$out/digits"

data frames label --task tag
cmp -s "$out/data-strings/test.ctm" "$out/frames-strings/test.ctm" || fail "the strings of $out/data and $out/frames differ"
train_seeds "$out/frames" "$out/tags" "${model[@]}" --head softmax --epochs 16
for split in valid test; do tell_seeds "$out/tags" $split accuracy; done
tell_seconds "$out/tags"

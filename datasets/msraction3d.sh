#!/bin/bash
# MSR Action3D: 20 actions told from 20 joints of a body in each video frame; each subject is left out once.
# Source: the skeletons of "MSR Action3D" (Wanqing Li) as text, msraction3d*.txt or .txt.zst: a line "action subject instance used frames 60",
# then that many lines of 60 numbers. All files of that name in DIR are taken, with all their subjects.
# Options were chosen on a second subject taken out of the training folds (datasets/README.md).
#   datasets/msraction3d.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs
files=("$from"/msraction3d*.txt "$from"/msraction3d*.txt.zst)
mapfile -t files < <(ls "${files[@]}" 2>/dev/null)
[ ${#files[@]} -gt 0 ] || fail "$from/msraction3d*.txt or .txt.zst: not found; the recipe's head says where the data is published"
subjects=$(for file in "${files[@]}"; do
  case $file in *.zst) zstd -dcq "$file" ;; *) cat "$file" ;; esac
done | awk 'NF == 6 { print $2 }' | sort -nu)

# Joint 7 is the middle of the hips, 3 the neck.
for subject in $subjects; do
  [ -e "$out/subject/$subject/dataset.json" ] || "$bin/seqprep" --task classify --reader skeleton --test "subject=$subject" \
    --lost-frames interpolate --center 7 --scale 3-7 --velocities --subsample 2 --normalise none --quiet --output "$out/subject/$subject" "${files[@]}"
done
fold_seeds subject "$subjects" --cell gru-reset-after --layers 1 --bidirectional --hidden 64 --pool attention --dropout 0.5 \
  --input-noise 0.05 --rotate 20 --time-masks 2 --time-mask-width 4 --batch 8 --lr 0.004 --schedule cosine --epochs 40 --checkpoint-epochs 0
tell_folds subject "$subjects"

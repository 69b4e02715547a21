#!/bin/bash
# FSDD, spoken digits: one digit a recording, five speakers, 45 recordings of each digit and speaker; mono, 8 kHz.
# Source: the folder recordings (DIGIT_SPEAKER_INDEX.wav) of github.com/Jakobovski/free-spoken-digit-dataset.
# Two protocols: known speakers (indices 5 to 9 test, 10 to 14 development, the others training), and a speaker left out. Options were
# chosen on the development part, and on a second speaker taken out of the training folds (datasets/README.md).
#   datasets/fsdd.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs recordings
speakers=$(ls "$from/recordings" | sed -n 's/^[0-9]_\(.*\)_[0-9]*\.wav$/\1/p' | sort -u)
features=(--task classify --label-pattern '{label}_{speaker}_{index}.wav' --features mfcc --deltas 2 --stack 2 --normalise item)

prepare "${features[@]}" --test 'index<10' --valid 'index<15' "$from/recordings"
train_seeds "$out/data" "$out/run" --layers 1 --bidirectional --hidden 64 --pool attention --forget-bias 1 --dropout 0.4 --input-noise 0.3 \
  --time-masks 2 --time-mask-width 4 --feature-masks 2 --feature-mask-width 6 --batch 32 --lr 0.004 --schedule cosine --epochs 20 \
  --threads 1 --log-every 1M
for split in valid test; do tell_seeds "$out/run" $split accuracy; done
tell_seconds "$out/run"

#!/bin/bash
# BasicMotions: four motions told from a smart watch, 40 training and 40 test items of 100 frames of 6 values. A smoke test of frames.
# Source: BasicMotions_TRAIN.ts and BasicMotions_TEST.ts of the UEA archive of multivariate time series (timeseriesclassification.com).
# There is no development part; options were chosen on quarters of the training part.
#   datasets/basic-motions.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs BasicMotions_TRAIN.ts BasicMotions_TEST.ts
prepare --task classify --test "$from/BasicMotions_TEST.ts" "$from/BasicMotions_TRAIN.ts"
train_seeds "$out/data" "$out/run" --layers 1 --bidirectional --hidden 32 --pool mean --forget-bias 1 --dropout 0.3 --batch 8 --lr 0.005 \
  --schedule cosine --epochs 60 --checkpoint-epochs 0 --threads 1 --log-every 1M
tell_seeds "$out/run" test accuracy
tell_seconds "$out/run"

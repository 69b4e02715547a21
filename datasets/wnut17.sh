#!/bin/bash
# WNUT17, emerging entities in posts: six types, BIO tags, no outside data; both directions against the forward one alone.
# Source: emerging.dev.conll, emerging.test.annotated, wnut17train.conll of noisy-text.github.io/2017 (3,394 / 1,009 / 1,287 posts).
# Words are lower-cased, their letters keep the case. Options were chosen on dev; the best checkpoint is that of dev's entity F1.
#   datasets/wnut17.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs wnut17train.conll emerging.dev.conll emerging.test.annotated
prepare --task tag --lower --letters --casing --valid "$from/emerging.dev.conll" --test "$from/emerging.test.annotated" "$from/wnut17train.conll"
for directions in both forward; do
  ways=--bidirectional
  [ $directions = forward ] && ways=--no-bidirectional
  train_seeds "$out/data" "$out/run-$directions" $ways --layers 1 --hidden 150 --embed 100 --embed-init uniform --letters-hidden 100 \
    --letters-embed 30 --dropout 0.5 --singletons 0.5 --batch 16 --lr 0.004 --schedule cosine --epochs 14
  for split in valid test; do
    for measure in entity_f1 entity_f1_surface; do tell_seeds "$out/run-$directions" $split $measure; done
  done
done
